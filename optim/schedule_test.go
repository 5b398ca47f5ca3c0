package optim

import (
	"math"
	"strings"
	"testing"
)

func TestParseSchedule(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Schedule
	}{
		{"constant", Constant{}},
		{"step", StepDecay{}},
		{"step:every=0.25,gamma=0.5", StepDecay{0.25, 0.5}},
		{"cosine:floor=0.01", Cosine{0.01}},
		{"onecycle:rise=0.4,final=100", OneCycle{Rise: 0.4, Final: 100}},
		{"triangle:rise=0.23,start=0.2,final=0.07", Triangle{0.23, 0.2, 0.07}},
		{"warmup", WarmUp{}},
		{"warmup:steps=500+cosine", WarmUp{500, Cosine{}}},
		{"warmup+constant", WarmUp{}},
	} {
		got, err := ParseSchedule(c.in)
		if err != nil || got != c.want {
			t.Errorf("%s reads as %#v, %v, want %#v", c.in, got, err, c.want)
			continue
		}
		if again, err := ParseSchedule(got.String()); err != nil || again != got {
			t.Errorf("%s is written as %s, which reads as %#v, %v", c.in, got, again, err)
		}
	}
	for _, name := range ScheduleNames() {
		if _, err := ParseSchedule(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseScheduleErrors(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", "unknown"},
		{"sawtooth", `"sawtooth" is unknown`},
		{"cosine:ceiling=1", `no setting "ceiling"`},
		{"cosine:floor", "must be a number"},
		{"cosine:floor=-1", "must be a number"},
		{"step:gamma=NaN", "must be a number"},
		{"step:gamma=0", "must be positive"},
		{"step:every=Inf", "must be a number"},
		{"onecycle:rise=1", "less than 1"},
		{"onecycle:start=0", "must be positive"},
		{"onecycle:start=2,final=0", "must be positive"},
		{"triangle:rise=2", "less than 1"},
		{"cosine+step", "only one warm-up"},
		{"warmup+warmup+cosine", "only one warm-up"},
		{"warmup+", "unknown"},
	} {
		if s, err := ParseSchedule(c.in); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("ParseSchedule(%q) = %v, %v, want an error about %q", c.in, s, err, c.want)
		}
	}
}

func TestTriangle(t *testing.T) {
	s := Triangle{Rise: 0.5, Start: 0.2, Final: 0}
	for step, want := range []float64{0.2, 0.6, 1, 0.5, 0.5} {
		if got := s.Factor(step, 4); math.Abs(got-want) > 1e-12 {
			t.Errorf("step %d of 4: %v, want %v", step, got, want)
		}
	}
	if got := (Triangle{}).Factor(0, 1); got != 0 {
		t.Errorf("the only step has the factor %v", got)
	}
}

func TestWarmUp(t *testing.T) {
	s := WarmUp{Steps: 4, Then: Cosine{}}
	for i, want := range []float64{0.25, 0.5, 0.75, 1} {
		if got := s.Factor(i, 20); got != want {
			t.Errorf("factor %d is %v, want %v", i, got, want)
		}
	}
	for i := 4; i < 20; i++ {
		if got, want := s.Factor(i, 20), (Cosine{}).Factor(i-4, 16); got != want {
			t.Errorf("factor %d is %v, want %v", i, got, want)
		}
	}
	part := WarmUp{Steps: 0.5}
	if got := part.Factor(4, 20); got != 0.5 {
		t.Errorf("half of 20 steps spent rising: factor 4 is %v", got)
	}
}

// Whatever the numbers of steps, a factor is a finite number of at most 1.
func TestFactorsAreBounded(t *testing.T) {
	for _, text := range []string{
		"constant", "step", "step:every=1", "step:every=1000000000000", "cosine", "cosine:floor=0.5", "onecycle",
		"onecycle:rise=0.999", "onecycle:rise=0.5", "warmup+onecycle", "warmup:steps=1000+cosine", "warmup:steps=0.999+step",
	} {
		s, err := ParseSchedule(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, total := range []int{0, 1, 2, 3, 7, 100} {
			for step := -1; step < total+3; step++ {
				if f := s.Factor(step, total); !(f >= 0 && f <= 1) {
					t.Errorf("%s: factor %d of %d is %v", text, step, total, f)
				}
			}
			if last, beyond := s.Factor(total+2, total), s.Factor(total+3, total); math.Abs(last-beyond) > 0 {
				t.Errorf("%s: the factor still moves after all %d steps", text, total)
			}
		}
	}
}

func FuzzParseSchedule(f *testing.F) {
	for _, s := range []string{"constant", "step:every=3,gamma=0.5", "warmup:steps=1e3+onecycle:rise=0.2", "cosine:floor=,"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSchedule(text)
		if err != nil {
			return
		}
		again, err := ParseSchedule(s.String())
		if err != nil || again != s {
			t.Fatalf("%q is written as %q, which reads as %v, %v", text, s, again, err)
		}
		if v := s.Factor(3, 10); math.IsNaN(v) {
			t.Fatalf("%q: factor 3 of 10 is not a number", text)
		}
	})
}
