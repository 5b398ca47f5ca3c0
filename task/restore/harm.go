package restore

import (
	"fmt"

	"hourglass/data"
	"hourglass/internal/par"
	"hourglass/internal/random"
	"hourglass/tensor"
)

// harm makes of clean crops what the network is to learn from. What it does is
// a pure function of the seed, the epoch and the step.
type harm struct {
	config Config
	crops  *data.Crops
	pool   *par.Pool
	draws  []float32 // two of each crop: how strong, and whether it is grey
	team   []worker
	run    func(worker, i int) // bound once, so that a step allocates nothing

	// Of the step being filled.
	clean          []uint8
	given, missing []float32
	counter        uint64
	failures       []error // of each crop
}

// worker is the scratch memory of a goroutine.
type worker struct {
	cutter Cutter
	filler filler
}

// harmStream keeps the draws of strengths apart from others of the same seed.
const harmStream = 0x4841524d << 32

// greyShare is the part of the crops that are learnt from without colours, as
// grey images are: their noise is the same in all channels.
const greyShare = 1.0 / 16

func newHarm(c Config, crops *data.Crops, pool *par.Pool) *harm {
	h := &harm{config: c, crops: crops, pool: pool,
		draws: make([]float32, 2*c.Batch), team: make([]worker, pool.Threads()), failures: make([]error, c.Batch)}
	h.run = h.one
	return h
}

// fill writes a batch to the inputs in the order in which they are declared.
func (h *harm) fill(epoch, step int, inputs []*tensor.Tensor) {
	h.clean, h.given = inputs[0].Uint8(), inputs[1].Float32()
	if h.config.Task == Inpaint {
		h.missing = inputs[2].Float32()
	}
	h.counter = uint64(epoch)<<32 | uint64(step)
	h.crops.Fill(epoch, step, h.clean)
	random.Uniform(h.draws, h.config.Seed, harmStream, h.counter)
	h.pool.Run(h.config.Batch, h.run)
}

// one harms crop i.
func (h *harm) one(w, i int) {
	side := h.config.Height
	n := side * side
	clean, given := h.clean[3*n*i:3*n*(i+1)], h.given[3*n*i:3*n*(i+1)]
	grey := h.draws[2*i+1] < greyShare
	if grey {
		toGrey(clean)
	}
	// A crop's own counter: no two of a run are the same.
	seed, counter := h.config.Seed+uint64(i)<<40, h.counter
	if h.config.Task == Denoise {
		h.failures[i] = h.config.Noise.Add(given, clean, side, side, h.config.Noise.within(float64(h.draws[2*i])), grey, seed, counter)
		return
	}
	for j, v := range clean {
		given[j] = float32(v) / 255
	}
	// The first draw says both the kind of hole and how much is missing.
	kinds := Holes()
	at := float64(h.draws[2*i]) * float64(len(kinds))
	kind := kinds[int(at)]
	k := holeKinds[kind]
	missing := h.missing[n*i : n*(i+1)]
	h.team[w].cutter.Cut(missing, side, side, kind, evenly(k.least, k.most, at-float64(int(at))), false, seed, counter)
	h.team[w].filler.fill(given, missing, side, side)
}

// err returns what failed in the last step, nil as a rule.
func (h *harm) err() error {
	for _, err := range h.failures {
		if err != nil {
			return fmt.Errorf("cannot harm a crop: %w", err)
		}
	}
	return nil
}

// toGrey gives the channels of pixels their luma (ITU-R BT.601).
func toGrey(pixels []uint8) {
	for i := 0; i < len(pixels); i += 3 {
		v := data.Luma(pixels[i], pixels[i+1], pixels[i+2])
		pixels[i], pixels[i+1], pixels[i+2] = v, v, v
	}
}
