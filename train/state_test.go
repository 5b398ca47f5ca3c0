package train

import "testing"

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
		{Ended: "patience"}, {BestAt: 1000}, {BestAt: -1}, {Step: 4}, {Step: 4, History: []Epoch{e}, BestAt: 1, Ended: "epochs"},
		{Step: 5, History: []Epoch{e}, BestAt: 1, Ended: "patience"}, {Ended: "fear"},
	} {
		if s.sound(4, 2) {
			t.Errorf("%+v is taken", s)
		}
	}
}
