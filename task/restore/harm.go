package restore

import (
	"fmt"

	"hourglass/data"
	"hourglass/internal/random"
	"hourglass/tensor"
)

// harm makes of clean crops what the network is to learn from. What it does is
// a pure function of the seed, the epoch and the step.
type harm struct {
	config Config
	crops  *data.Crops
	draws  []float32 // two of each crop: how strong, and whether it is grey
	cutter Cutter
	filler filler

	// Of the step being filled.
	clean          []uint8
	given, missing []float32
	counter        uint64
	failure        error // the last, nil as a rule
}

// harmStream keeps the draws of strengths apart from others of the same seed.
const harmStream = 0x4841524d << 32

// greyShare is the part of the crops that are learnt from without colours, as
// grey images are: their noise is the same in all channels.
const greyShare = 1.0 / 16

func newHarm(c Config, crops *data.Crops) *harm {
	return &harm{config: c, crops: crops, draws: make([]float32, 2*c.Batch)}
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
	// On one goroutine: the engine's workers are busy with the step before.
	for i := range h.config.Batch {
		if err := h.one(i); err != nil {
			h.failure = fmt.Errorf("cannot harm a crop: %w", err)
		}
	}
}

// one harms crop i.
func (h *harm) one(i int) error {
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
		return h.config.Noise.Add(given, clean, side, side, h.config.Noise.within(float64(h.draws[2*i])), grey, seed, counter)
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
	h.cutter.Cut(missing, side, side, kind, evenly(k.least, k.most, at-float64(int(at))), false, seed, counter)
	h.filler.fill(given, missing, side, side)
	return nil
}

// toGrey gives the channels of pixels their luma (ITU-R BT.601).
func toGrey(pixels []uint8) {
	for i := 0; i < len(pixels); i += 3 {
		v := data.Luma(pixels[i], pixels[i+1], pixels[i+2])
		pixels[i], pixels[i+1], pixels[i+2] = v, v, v
	}
}
