package bench

import (
	"cmp"
	"context"
	"runtime"
	"strings"
	"time"

	"github.com/klauspost/cpuid/v2"

	"hourglass/internal/isa"
	"hourglass/internal/kernel/peak"
	"hourglass/internal/par"
)

// Machine says where a measurement was made and what the limits are there.
type Machine struct {
	CPU       string `json:"cpu"`
	ISA       string `json:"isa"`       // instruction-set level in use
	Threads   int    `json:"threads"`   // in use
	Precision string `json:"precision"` // of products
	// PeakGflops is the float32 multiply-add peak at that level and number of
	// threads, in 10⁹ operations a second.
	PeakGflops float64 `json:"peak_gflops"`
	// BandwidthGBs is what copying memory reads and writes together, in 10⁹
	// bytes a second.
	BandwidthGBs float64 `json:"bandwidth_gbs"`
	// Ceilings holds the multiply-add peak for each level of the machine, and
	// for tiles of bfloat16 ("amx") if it has them, with one thread and with all.
	Ceilings []Ceiling `json:"ceilings"`
}

// Ceiling is the multiply-add peak of one level and number of threads.
type Ceiling struct {
	ISA     string  `json:"isa"` // or "amx"
	Threads int     `json:"threads"`
	Gflops  float64 `json:"gflops"`
}

// measureMachine takes half a second or so.
func measureMachine(ctx context.Context, pool *par.Pool, level isa.Level, copyBytes int, least time.Duration) Machine {
	m := Machine{CPU: cpuName(), ISA: level.String(), Threads: pool.Threads()}
	single := par.New(1)
	defer single.Close()
	measure := func(name string, fastest func(*par.Pool, isa.Level) float64, l isa.Level) (all float64) {
		all = fastest(single, l) / 1e9
		m.Ceilings = append(m.Ceilings, Ceiling{name, 1, all})
		if m.Threads > 1 {
			all = fastest(pool, l) / 1e9
			m.Ceilings = append(m.Ceilings, Ceiling{name, m.Threads, all})
		}
		return all
	}
	for _, l := range isa.Available() {
		all := measure(l.String(), peak.MultiplyAdd, l)
		if l == level {
			m.PeakGflops = all
		}
		if peak.HasTiles(l) {
			measure("amx", peak.Tiles, l)
		}
	}
	m.BandwidthGBs = bandwidth(ctx, pool, copyBytes, least)
	return m
}

// raise measures the multiply-add peak in use again and keeps the higher one.
func (m *Machine) raise(pool *par.Pool, level isa.Level) {
	m.PeakGflops = max(m.PeakGflops, peak.MultiplyAdd(pool, level)/1e9)
	for i, c := range m.Ceilings {
		if c.ISA == m.ISA && c.Threads == m.Threads {
			m.Ceilings[i].Gflops = m.PeakGflops
		}
	}
}

// bandwidth copies half of total bytes onto the other half, in pieces, and
// returns what is read and written in 10⁹ bytes a second. The total must be
// far above the caches' size.
func bandwidth(ctx context.Context, pool *par.Pool, total int, least time.Duration) float64 {
	const piece = 1 << 20
	from, to := make([]byte, total/2), make([]byte, total/2)
	for i := range from {
		from[i] = 1 // memory that was never written may all be one page
	}
	pieces := (len(from) + piece - 1) / piece
	seconds := median(timed(ctx, least, func() {
		pool.Run(pieces, func(_, part int) {
			begin := part * piece
			end := min(begin+piece, len(from))
			copy(to[begin:end], from[begin:end])
		})
	}).rounds)
	return float64(2*len(from)) / 1e9 / seconds
}

// cpuName returns the name that the processor gives itself, else the architecture.
// In a virtual machine that name may be the maker's only; then its cores are added.
func cpuName() string {
	name := cmp.Or(strings.TrimSpace(cpuid.CPU.BrandName), runtime.GOARCH)
	if cores := isa.Cores(); cores != "" && !strings.ContainsAny(name, "0123456789") {
		name += ", " + cores
	}
	return name
}
