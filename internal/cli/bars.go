package cli

import (
	"io"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// bars draws a bar for each piece of work, the last of which moves.
type bars struct {
	all    *mpb.Progress
	bar    *mpb.Bar
	detail *atomic.Pointer[string] // what stands behind the bar
	told   time.Time
}

// barEvery is the time between two drawings: often enough to look alive, and
// nothing beside the work.
const barEvery = 150 * time.Millisecond

func newBars(w io.Writer, options ...mpb.ContainerOption) *bars {
	options = append([]mpb.ContainerOption{mpb.WithOutput(w), mpb.WithRefreshRate(barEvery)}, options...)
	return &bars{all: mpb.New(options...)}
}

func (b *bars) begin(title string) {
	b.finish(true)
	detail := new(atomic.Pointer[string])
	style := mpb.BarStyle().Lbound("").Rbound("").Filler("━").Tip("━").Padding("─")
	b.detail = detail
	b.bar = b.all.New(0, style,
		mpb.BarWidth(24),
		mpb.PrependDecorators(decor.Name(title, decor.WC{W: 12, C: decor.DindentRight})),
		mpb.AppendDecorators(decor.Elapsed(decor.ET_STYLE_GO, decor.WC{W: 6, C: decor.DindentRight}), decor.Any(func(decor.Statistics) string {
			if text := detail.Load(); text != nil {
				return *text
			}
			return ""
		})),
	)
}

func (b *bars) advance(done, total int, detail func() string) {
	if time.Since(b.told) < barEvery && done != total {
		return
	}
	b.told = time.Now()
	text := detail()
	b.detail.Store(&text)
	b.bar.SetTotal(int64(total), false)
	b.bar.SetCurrent(int64(done))
}

// note writes a line above the bars. An error is about the terminal, where
// there is then nobody to read of it.
func (b *bars) note(text string) { _, _ = io.WriteString(b.all, text+"\n") }

func (b *bars) end(finished bool) {
	b.finish(finished)
	b.all.Wait()
}

// finish ends the bar that moves.
func (b *bars) finish(done bool) {
	switch {
	case b.bar == nil:
	case done:
		// What never said how much there was to do is full at the end, too.
		b.bar.SetTotal(max(1, b.bar.Current()), false)
		b.bar.SetCurrent(max(1, b.bar.Current()))
		b.bar.SetTotal(-1, true)
	default:
		b.bar.Abort(false)
	}
	b.bar = nil
}
