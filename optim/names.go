package optim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
)

// Names returns what [Named] knows.
func Names() []string {
	return []string{"sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw", "muon"}
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
	case "muon":
		return Options{Rule: Muon{Momentum: muonMomentum, Rest: 1, RestMomentum: muonRestMomentum}}, nil
	}
	return Options{}, fmt.Errorf("optim: optimiser %q is unknown; choose one of %s", name, strings.Join(Names(), ", "))
}

// Parse reads an optimiser from NAME, as [Named] knows it, or
// NAME:SETTING=NUMBER,…, such as "nesterov:momentum=0.85,decay=1e-3". The
// settings are momentum (of those that have it), beta1 and beta2 (of adam and
// adamw), rest, rest_momentum and length (of muon), decay (the weight decay) and
// bias, a factor on the learning rate of biases.
func Parse(text string) (Options, error) {
	name, list, _ := strings.Cut(text, ":")
	o, err := Named(name)
	if err != nil {
		return o, err
	}
	bias := math.NaN()
	fields := map[string]*float64{"decay": &o.WeightDecay, "bias": &bias}
	sgd, isSGD := o.Rule.(SGD)
	adam, isAdam := o.Rule.(Adam)
	muon, isMuon := o.Rule.(Muon)
	if isSGD && sgd.Momentum != 0 {
		fields["momentum"] = &sgd.Momentum
	}
	if isAdam {
		fields["beta1"], fields["beta2"] = &adam.Beta1, &adam.Beta2
	}
	if isMuon {
		fields["momentum"], fields["rest"], fields["rest_momentum"], fields["length"] = &muon.Momentum, &muon.Rest, &muon.RestMomentum, &muon.Length
	}
	if err := settings(list, fields, unset); err != nil {
		return o, fmt.Errorf("optim: optimiser %q: %w", text, err)
	}
	switch {
	case isSGD:
		if sgd.Momentum >= 1 || sgd.Nesterov && sgd.Momentum == 0 {
			return o, fmt.Errorf("optim: optimiser %q: momentum must be positive and less than 1", text)
		}
		o.Rule = sgd
	case isAdam:
		if max(adam.Beta1, adam.Beta2) >= 1 {
			return o, fmt.Errorf("optim: optimiser %q: beta1 and beta2 must be less than 1", text)
		}
		o.Rule = adam
	case isMuon:
		if max(muon.Momentum, muon.RestMomentum) >= 1 || min(muon.Momentum, muon.RestMomentum, muon.Rest) == 0 {
			return o, fmt.Errorf("optim: optimiser %q: momentum and rest_momentum must be positive and less than 1, and rest positive", text)
		}
		o.Rule = muon
	}
	switch {
	case bias == 0:
		o.Groups = []Group{{Suffix: ".bias", Frozen: true}}
	case bias > 0:
		o.Groups = []Group{{Suffix: ".bias", Rate: bias}}
	}
	return o, nil
}

// rules returns a zero value of each rule that has a JSON form.
func rules() []Rule { return []Rule{SGD{}, Adagrad{}, RMSProp{}, Adam{}, Muon{}} }

// optionsFields is the JSON form of Options.
type optionsFields struct {
	Rule        string          `json:"rule"`
	Settings    json.RawMessage `json:"settings,omitempty"` // of the rule
	WeightDecay float64         `json:"weight_decay,omitempty"`
	Decoupled   bool            `json:"decoupled,omitempty"`
	DecayAll    bool            `json:"decay_all,omitempty"`
	ClipValue   float64         `json:"clip_value,omitempty"`
	ClipNorm    float64         `json:"clip_norm,omitempty"`
	Groups      []Group         `json:"groups,omitempty"`
}

// MarshalJSON writes {"rule":"adam","settings":{…},"weight_decay":…}. It
// fails for rules of other packages.
func (o Options) MarshalJSON() ([]byte, error) {
	o = o.withDefaults()
	if !slices.ContainsFunc(rules(), func(r Rule) bool { return reflect.TypeOf(r) == reflect.TypeOf(o.Rule) }) {
		return nil, fmt.Errorf("optim: rule type %T has no JSON form", o.Rule)
	}
	f := optionsFields{o.Rule.Kind(), nil, o.WeightDecay, o.Decoupled, o.DecayAll, o.ClipValue, o.ClipNorm, o.Groups}
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
		*o = Options{v.Elem().Interface().(Rule), f.WeightDecay, f.Decoupled, f.DecayAll, f.ClipValue, f.ClipNorm, f.Groups}
		return nil
	}
	return fmt.Errorf("optim: rule %q is unknown", f.Rule)
}

func strict(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(into)
}
