package train

// Epoch is the record of one epoch.
type Epoch struct {
	Epoch      int      `json:"epoch"` // from 1
	Step       int      `json:"step"`  // steps done so far
	Loss       float64  `json:"loss"`  // mean over the epoch
	Validation float64  `json:"validation"`
	Score      *float64 `json:"score,omitempty"` // see [Problem]
	LR         float64  `json:"lr"`              // of the last step
	Seconds    float64  `json:"seconds"`
}

// Record is the outcome of a run.
type Record struct {
	Epochs     []Epoch `json:"epochs"`
	BestEpoch  int     `json:"best_epoch"` // from 1, as Epoch.Epoch; 0 before the first has ended
	Stopped    string  `json:"stopped"`    // why it ended: "epochs" or "patience"
	Seconds    float64 `json:"seconds"`
	Parameters int     `json:"parameters"`
}

func (t *Trainer) record() Record {
	r := Record{Epochs: t.state.History, BestEpoch: t.state.BestAt, Stopped: t.state.Ended, Seconds: t.state.Seconds}
	for _, p := range t.params {
		if p.Trainable {
			r.Parameters += p.Node.Shape().Elements()
		}
	}
	return r
}

// PerSecond returns how many images were learnt from in a second, in steps of
// so many; 0 where nothing was learnt.
func (r Record) PerSecond(batch int) float64 {
	n := len(r.Epochs)
	if n == 0 || r.Seconds <= 0 {
		return 0
	}
	return float64(r.Epochs[n-1].Step*batch) / r.Seconds
}

// WithoutTimes returns the record without wall-clock times, which differ from
// run to run where everything else is the same.
func (r Record) WithoutTimes() Record {
	r.Seconds = 0
	r.Epochs = append([]Epoch(nil), r.Epochs...)
	for i := range r.Epochs {
		r.Epochs[i].Seconds = 0
	}
	return r
}
