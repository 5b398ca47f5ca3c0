package nn

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
)

// Limits on a network read from JSON, far above any that is in use.
const (
	maxBytes  = 4 << 20
	maxDepth  = 32
	maxLayers = 20000
)

// Marshal writes a network as JSON: an object for each layer, with its kind
// and the settings that differ from the default. It fails for layers of types
// that this package does not know. Pointers to layers are written as what they
// point to.
func Marshal(l Layer) ([]byte, error) { return marshal(l, 0) }

func marshal(l Layer, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nn: the network is nested more than %d deep", maxDepth)
	}
	if l == nil {
		return nil, fmt.Errorf("nn: a layer is missing")
	}
	if v := reflect.ValueOf(l); v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil, fmt.Errorf("nn: a layer is missing")
		}
		if pointed, ok := v.Elem().Interface().(Layer); ok {
			l = pointed
		}
	}
	known, err := blank(l.Kind())
	if err != nil || reflect.TypeOf(known) != reflect.TypeOf(l) {
		return nil, fmt.Errorf("nn: layer type %T of kind %q has no JSON form", l, l.Kind())
	}
	var fields any = l
	if c, ok := l.(composite); ok {
		parts := make([]json.RawMessage, len(c.parts()))
		for i, p := range c.parts() {
			if parts[i], err = marshal(p, depth+1); err != nil {
				return nil, err
			}
		}
		fields = arrange(c, parts)
	}
	data, err := json.Marshal(fields)
	if err != nil {
		return nil, fmt.Errorf("nn: layer %s: %w", l.Kind(), err)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, `{"kind":%q`, l.Kind())
	if len(data) > len("{}") {
		out.WriteByte(',')
	}
	out.Write(data[1:])
	return out.Bytes(), nil
}

// The JSON forms of the composite layers.
type (
	sequentialFields struct {
		Layers []json.RawMessage `json:"layers,omitempty"`
	}
	residualFields struct {
		Body     json.RawMessage `json:"body"`
		Shortcut json.RawMessage `json:"shortcut,omitempty"`
	}
	concatFields struct {
		Branches []json.RawMessage `json:"branches,omitempty"`
		Crop     bool              `json:"crop,omitempty"`
	}
)

// arrange puts the JSON of a composite's parts into its fields.
func arrange(c composite, parts []json.RawMessage) any {
	switch c := c.(type) {
	case Residual:
		f := residualFields{Body: parts[0]}
		if len(parts) > 1 {
			f.Shortcut = parts[1]
		}
		return f
	case Concat:
		return concatFields{parts, c.Crop}
	}
	return sequentialFields{parts}
}

// Unmarshal reads what [Marshal] wrote. It fails for unknown kinds and
// settings and for networks of unreasonable size.
func Unmarshal(data []byte) (Layer, error) {
	if len(data) > maxBytes {
		return nil, fmt.Errorf("nn: the network's JSON has %d bytes, more than %d", len(data), maxBytes)
	}
	var d decoder
	return d.layer(data, 0)
}

// decoder counts the layers read so far.
type decoder struct{ layers int }

func (d *decoder) layer(data []byte, depth int) (Layer, error) {
	if d.layers++; d.layers > maxLayers {
		return nil, fmt.Errorf("nn: the network has more than %d layers", maxLayers)
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("nn: the network is nested more than %d deep", maxDepth)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, fmt.Errorf("nn: a layer must be a JSON object: %w", err)
	}
	var kind string
	if err := json.Unmarshal(fields["kind"], &kind); err != nil {
		return nil, fmt.Errorf(`nn: a layer has no "kind": %.80s`, data)
	}
	l, err := blank(kind)
	if err != nil {
		return nil, err
	}
	delete(fields, "kind")
	// Known kinds have few settings; the rest of the object is plain data that
	// marshals back as it was.
	settings, err := json.Marshal(fields)
	if err != nil {
		return nil, fmt.Errorf("nn: layer %s: %w", kind, err)
	}
	switch l.(type) {
	case Sequential:
		var f sequentialFields
		if err := strict(kind, settings, &f); err != nil {
			return nil, err
		}
		parts, err := d.list(f.Layers, depth)
		return Sequential(parts), err
	case Concat:
		var f concatFields
		if err := strict(kind, settings, &f); err != nil {
			return nil, err
		}
		parts, err := d.list(f.Branches, depth)
		return Concat{parts, f.Crop}, err
	case Residual:
		return d.residual(settings, depth)
	}
	return decodePlain(l, settings)
}

func (d *decoder) residual(settings []byte, depth int) (Layer, error) {
	var f residualFields
	if err := strict("residual", settings, &f); err != nil {
		return nil, err
	}
	var r Residual
	var err error
	if r.Body, err = d.layer(f.Body, depth+1); err != nil {
		return nil, err
	}
	if f.Shortcut != nil {
		r.Shortcut, err = d.layer(f.Shortcut, depth+1)
	}
	return r, err
}

func (d *decoder) list(raw []json.RawMessage, depth int) ([]Layer, error) {
	var layers []Layer
	for _, r := range raw {
		l, err := d.layer(r, depth+1)
		if err != nil {
			return nil, err
		}
		layers = append(layers, l)
	}
	return layers, nil
}

func strict(kind string, settings []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(settings))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("nn: layer %s: %w", kind, err)
	}
	return nil
}

// decodePlain reads the settings of a layer that holds no others into a new
// value of the type of zero.
func decodePlain(zero Layer, settings []byte) (Layer, error) {
	v := reflect.New(reflect.TypeOf(zero))
	if err := strict(zero.Kind(), settings, v.Interface()); err != nil {
		return nil, err
	}
	// An empty list is written as none, so it is read as none.
	for i := range v.Elem().NumField() {
		if f := v.Elem().Field(i); f.Kind() == reflect.Slice && f.Len() == 0 {
			f.SetZero()
		}
	}
	return v.Elem().Interface().(Layer), nil
}
