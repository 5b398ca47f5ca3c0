package bench

import (
	"encoding/json"
	"io"
)

// traceEvent is a complete event of the Trace Event Format, which the viewers
// of Chrome and Perfetto open; times are in microseconds.
type traceEvent struct {
	Name  string         `json:"name"`
	Phase string         `json:"ph"`
	Begin float64        `json:"ts"`
	Time  float64        `json:"dur"`
	PID   int            `json:"pid"`
	TID   int            `json:"tid"`
	Args  map[string]any `json:"args"`
}

// WriteTrace writes the profiles of a report: a track for each workload, on
// which its operations follow each other for their median times.
func (r *Report) WriteTrace(w io.Writer) error {
	trace := struct {
		Events []traceEvent `json:"traceEvents"`
		Unit   string       `json:"displayTimeUnit"`
	}{Events: []traceEvent{}, Unit: "ms"}
	for i, result := range r.Results {
		tid := i + 1
		trace.Events = append(trace.Events, traceEvent{
			Name: "thread_name", Phase: "M", PID: 1, TID: tid, Args: map[string]any{"name": result.Workload},
		})
		at := 0.0
		for _, op := range result.Profile {
			trace.Events = append(trace.Events, traceEvent{
				Name: op.Op, Phase: "X", Begin: at, Time: op.MS * 1e3, PID: 1, TID: tid,
				Args: map[string]any{"shape": op.Shape, "times": op.Times, "gflops": op.Gflops},
			})
			at += op.MS * 1e3
		}
	}
	return json.NewEncoder(w).Encode(trace)
}
