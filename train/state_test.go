package train

import "testing"

// What is left of a run counts the shares of its forms.
func TestWork(t *testing.T) {
	p := &Problem{Steps: 10, Early: []Form{{Before: 2, Share: 0.5}, {Before: 3}}}
	for _, c := range []struct {
		first, last int
		want        float64
	}{{0, 0, 0}, {0, 10, 5}, {5, 25, 12.5}, {19, 20, 0.5}, {0, 50, 40}, {35, 50, 15}} {
		if got := p.work(c.first, c.last); got != c.want {
			t.Errorf("steps %d to %d are %v, want %v", c.first, c.last, got, c.want)
		}
	}
}

// A state that no run comes through is refused, whatever it would lead to.
func TestStatesThatContradictThemselves(t *testing.T) {
	e := Epoch{Epoch: 1}
	for _, s := range []state{
		{}, {Step: 3}, {Step: 4, History: []Epoch{e}, BestAt: 1}, {Step: 5, History: []Epoch{e}, BestAt: 1},
		{Step: 8, History: []Epoch{e, e}, BestAt: 2, Ended: "epochs"}, {Step: 4, History: []Epoch{e}, BestAt: 1, Ended: "patience"},
	} {
		if !s.sound(4, 2) {
			t.Errorf("%+v is refused", s)
		}
	}
	for _, s := range []state{
		{Step: 4, History: []Epoch{e}}, {Ended: "patience"}, {BestAt: 1000}, {BestAt: -1}, {Step: 4}, {Step: 4, History: []Epoch{e}, BestAt: 1, Ended: "epochs"},
		{Step: 5, History: []Epoch{e}, BestAt: 1, Ended: "patience"}, {Ended: "fear"},
	} {
		if s.sound(4, 2) {
			t.Errorf("%+v is taken", s)
		}
	}
}
