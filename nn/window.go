package nn

import (
	"encoding/json"
	"errors"
	"fmt"

	"hourglass/engine/graph"
)

// PadMode names a rule of padding.
type PadMode uint8

const (
	PadDefault  PadMode = iota // what the layer says
	PadSame                    // the output has ceil(input/stride) places; an odd zero goes after
	PadValid                   // no padding
	PadExplicit                // as many zeros on each side as Padding says
)

// Padding puts zeros around an image: use [Same], [Valid] or [Pads]. In JSON it is
// "same", "valid" or [top,bottom,left,right].
type Padding struct {
	Mode                     PadMode
	Top, Bottom, Left, Right int // for PadExplicit, and no other mode
}

// Same returns the padding that keeps ceil(input/stride) places.
func Same() Padding { return Padding{Mode: PadSame} }

// Valid returns no padding.
func Valid() Padding { return Padding{Mode: PadValid} }

// Pads returns an explicit padding.
func Pads(top, bottom, left, right int) Padding {
	return Padding{PadExplicit, top, bottom, left, right}
}

// MarshalJSON implements [json.Marshaler].
func (p Padding) MarshalJSON() ([]byte, error) {
	switch p.Mode {
	case PadSame:
		return []byte(`"same"`), nil
	case PadValid:
		return []byte(`"valid"`), nil
	case PadExplicit:
		return json.Marshal([4]int{p.Top, p.Bottom, p.Left, p.Right})
	}
	return nil, fmt.Errorf("nn: padding mode %d has no name", p.Mode)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (p *Padding) UnmarshalJSON(data []byte) error {
	switch string(data) {
	case `"same"`:
		*p = Same()
		return nil
	case `"valid"`:
		*p = Valid()
		return nil
	}
	var sides []int
	if err := json.Unmarshal(data, &sides); err != nil || len(sides) != 4 {
		return fmt.Errorf(`nn: padding is %.40s; it must be "same", "valid" or [top,bottom,left,right]`, data)
	}
	*p = Pads(sides[0], sides[1], sides[2], sides[3])
	return nil
}

// maxWindow bounds kernel, stride, dilation and padding, as the graph does.
const maxWindow = 1 << 16

// geometry is how a layer's window slides, with defaults filled in.
type geometry struct {
	kernel, stride, dilation [2]int
	pad                      Padding
}

// pair returns height and width of a setting: 0 means fallback for the height,
// the height for the width.
func pair(height, width, fallback int) [2]int {
	if height == 0 {
		height = fallback
	}
	if width == 0 {
		width = height
	}
	return [2]int{height, width}
}

// window returns the window over an image side of height×width.
func (g geometry) window(height, width int) (graph.Window, error) {
	w := graph.Window{Kernel: g.kernel, Stride: g.stride, Dilation: g.dilation}
	switch g.pad.Mode {
	case PadExplicit:
		w.PadBefore = [2]int{g.pad.Top, g.pad.Left}
		w.PadAfter = [2]int{g.pad.Bottom, g.pad.Right}
	case PadSame, PadValid, PadDefault:
		if g.pad != (Padding{Mode: g.pad.Mode}) {
			return w, errors.New("its padding has sides, which count with PadExplicit only: use Pads")
		}
	default:
		return w, fmt.Errorf("padding mode %d is unknown", g.pad.Mode)
	}
	if err := w.Validate(); err != nil {
		return w, err
	}
	if g.pad.Mode == PadSame {
		for i, in := range [2]int{height, width} {
			out := (in + w.Stride[i] - 1) / w.Stride[i]
			total := max(0, (out-1)*w.Stride[i]+g.span(i)-in)
			w.PadBefore[i], w.PadAfter[i] = total/2, total-total/2
		}
		if err := w.Validate(); err != nil {
			return w, err
		}
	}
	if w.Out(0, height) < 1 || w.Out(1, width) < 1 {
		return w, fmt.Errorf("a kernel of %dx%d with dilation %v does not fit; make it smaller or pad more",
			w.Kernel[0], w.Kernel[1], w.Dilation)
	}
	return w, nil
}

// span returns how many places the kernel reaches over along axis i.
func (g geometry) span(i int) int { return (g.kernel[i]-1)*g.dilation[i] + 1 }

// or returns p, or the given mode where p leaves the choice to the layer.
func (p Padding) or(mode PadMode) Padding {
	if p == (Padding{}) {
		return Padding{Mode: mode}
	}
	return p
}
