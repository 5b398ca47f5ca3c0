package optim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Names returns what [Named] knows.
func Names() []string {
	return []string{"sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"}
}

// Named returns the usual settings of the optimiser of a name: momentum and
// nesterov are sgd with a momentum of 0.9, adamw is adam with a decoupled
// weight decay of 0.01.
func Named(name string) (Options, error) {
	switch name {
	case "sgd":
		return Options{Rule: SGD{}}, nil
	case "momentum":
		return Options{Rule: SGD{Momentum: 0.9}}, nil
	case "nesterov":
		return Options{Rule: SGD{Momentum: 0.9, Nesterov: true}}, nil
	case "adagrad":
		return Options{Rule: Adagrad{}}, nil
	case "rmsprop":
		return Options{Rule: RMSProp{}}, nil
	case "adam":
		return Options{Rule: Adam{}}, nil
	case "adamw":
		return Options{Rule: Adam{}, WeightDecay: 0.01, Decoupled: true}, nil
	}
	return Options{}, fmt.Errorf("optim: optimiser %q is unknown; choose one of %s", name, strings.Join(Names(), ", "))
}

// rules returns a zero value of each rule that has a JSON form.
func rules() []Rule { return []Rule{SGD{}, Adagrad{}, RMSProp{}, Adam{}} }

// optionsFields is the JSON form of Options.
type optionsFields struct {
	Rule        string          `json:"rule"`
	Settings    json.RawMessage `json:"settings,omitempty"` // of the rule
	WeightDecay float64         `json:"weight_decay,omitempty"`
	Decoupled   bool            `json:"decoupled,omitempty"`
	DecayAll    bool            `json:"decay_all,omitempty"`
	ClipValue   float64         `json:"clip_value,omitempty"`
	ClipNorm    float64         `json:"clip_norm,omitempty"`
}

// MarshalJSON writes {"rule":"adam","settings":{…},"weight_decay":…}. It
// fails for rules of other packages.
func (o Options) MarshalJSON() ([]byte, error) {
	o = o.withDefaults()
	if !slices.ContainsFunc(rules(), func(r Rule) bool { return reflect.TypeOf(r) == reflect.TypeOf(o.Rule) }) {
		return nil, fmt.Errorf("optim: rule type %T has no JSON form", o.Rule)
	}
	f := optionsFields{o.Rule.Kind(), nil, o.WeightDecay, o.Decoupled, o.DecayAll, o.ClipValue, o.ClipNorm}
	settings, err := json.Marshal(o.Rule)
	if err != nil {
		return nil, err
	}
	if string(settings) != "{}" {
		f.Settings = settings
	}
	return json.Marshal(f)
}

// UnmarshalJSON reads what MarshalJSON wrote. Unknown rules and settings are
// errors.
func (o *Options) UnmarshalJSON(data []byte) error {
	var f optionsFields
	if err := strict(data, &f); err != nil {
		return fmt.Errorf("optim: options: %w", err)
	}
	for _, r := range rules() {
		if r.Kind() != f.Rule {
			continue
		}
		v := reflect.New(reflect.TypeOf(r))
		if f.Settings != nil {
			if err := strict(f.Settings, v.Interface()); err != nil {
				return fmt.Errorf("optim: %s: %w", f.Rule, err)
			}
		}
		*o = Options{v.Elem().Interface().(Rule), f.WeightDecay, f.Decoupled, f.DecayAll, f.ClipValue, f.ClipNorm}
		return nil
	}
	return fmt.Errorf("optim: rule %q is unknown", f.Rule)
}

func strict(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(into)
}
