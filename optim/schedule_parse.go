package optim

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// ScheduleNames returns the names that [ParseSchedule] knows.
func ScheduleNames() []string {
	return []string{"constant", "step", "cosine", "onecycle", "triangle", "warmup"}
}

// ParseSchedule reads a schedule from NAME or NAME:SETTING=NUMBER,…, such as
// "cosine:floor=0.01"; a warm-up is joined to what follows it by a plus sign,
// such as "warmup:steps=500+cosine". It takes what Schedule.String returns.
func ParseSchedule(text string) (Schedule, error) {
	first, rest, joined := strings.Cut(text, "+")
	name, list, _ := strings.Cut(first, ":")
	var w WarmUp
	var d StepDecay
	var c Cosine
	var o OneCycle
	var t Triangle
	var s func() Schedule
	var fields map[string]*float64
	positive := unset
	switch name {
	case "constant":
		s = func() Schedule { return Constant{} }
	case "step":
		fields = map[string]*float64{"every": &d.Every, "gamma": &d.Gamma}
		s = func() Schedule { return d }
	case "cosine":
		fields = map[string]*float64{"floor": &c.Floor}
		s = func() Schedule { return c }
	case "onecycle":
		positive = append(slices.Clone(unset), "start", "final") // they divide
		fields = map[string]*float64{"rise": &o.Rise, "start": &o.Start, "final": &o.Final}
		s = func() Schedule { return o }
	case "triangle":
		fields = map[string]*float64{"rise": &t.Rise, "start": &t.Start, "final": &t.Final}
		s = func() Schedule { return t }
	case "warmup":
		fields = map[string]*float64{"steps": &w.Steps}
		s = func() Schedule { return w }
	default:
		return nil, fmt.Errorf("optim: schedule %q is unknown; choose one of %s", name, strings.Join(ScheduleNames(), ", "))
	}
	if joined {
		if name != "warmup" || strings.HasPrefix(rest, "warmup") {
			return nil, fmt.Errorf("optim: schedule %q: only one warm-up can stand before a plus sign", text)
		}
		var err error
		if w.Then, err = ParseSchedule(rest); err != nil {
			return nil, err
		}
		if (w.Then == Constant{}) {
			w.Then = nil // its own form of the same schedule
		}
	}
	if err := settings(list, fields, positive); err != nil {
		return nil, fmt.Errorf("optim: schedule %q: %w", text, err)
	}
	if max(o.Rise, t.Rise) >= 1 {
		return nil, fmt.Errorf("optim: schedule %q: rise must be less than 1", text)
	}
	return s(), nil
}

// unset are the settings that a zero leaves to their default: it cannot be
// asked for.
var unset = []string{"every", "gamma", "rise", "steps", "beta1", "beta2"}

// settings reads NAME=NUMBER,… into the fields of those names. Numbers are
// finite and not negative, and some positive.
func settings(list string, fields map[string]*float64, positive []string) error {
	if list == "" {
		return nil
	}
	for item := range strings.SplitSeq(list, ",") {
		name, number, _ := strings.Cut(item, "=")
		field, ok := fields[name]
		if !ok {
			return fmt.Errorf("there is no setting %q", name)
		}
		v, err := strconv.ParseFloat(number, 64)
		if err != nil || !(v >= 0) || math.IsInf(v, 1) {
			return fmt.Errorf("%s is %q; it must be a number of at least 0", name, number)
		}
		if v == 0 && slices.Contains(positive, name) {
			return fmt.Errorf("%s is %q; it must be positive", name, number)
		}
		*field = v
	}
	return nil
}

// setting is a named number of a schedule.
type setting struct {
	name  string
	value float64
}

// form writes a schedule's name and those settings that are not left to their
// default.
func form(name string, settings ...setting) string {
	var parts []string
	for _, s := range settings {
		if s.value != 0 {
			number := strconv.FormatFloat(s.value, 'g', -1, 64)
			// 1e+06 is 1e06 here: the plus sign joins schedules.
			parts = append(parts, s.name+"="+strings.ReplaceAll(number, "+", ""))
		}
	}
	if len(parts) == 0 {
		return name
	}
	return name + ":" + strings.Join(parts, ",")
}
