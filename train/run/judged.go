package run

// Times are wall-clock seconds of a run and its parts.
type Times struct {
	Read   float64 `json:"read"`
	Train  float64 `json:"train"`
	Judge  float64 `json:"judge"`
	PCA    float64 `json:"pca,omitempty"` // only where something is compared with it
	Report float64 `json:"report"`
	Total  float64 `json:"total"`
}

// Judged is a run that has been trained and judged. Its report is still to be
// written, after which Finish completes the run's folder.
type Judged struct {
	Dir string

	run     *Run
	summary any
	seconds *Times
}

// Judged returns what is left to do with the run: summary, a pointer to the
// task's own struct, is to be written with all of its seconds, which lie in it.
func (r *Run) Judged(summary any, seconds *Times) Judged {
	return Judged{r.Dir, r, summary, seconds}
}

// Finish writes the summary, which completes the run's folder. reportSeconds
// is the time that writing the report took.
func (j *Judged) Finish(reportSeconds float64) error {
	j.seconds.Report = reportSeconds
	j.seconds.Total = j.run.Elapsed()
	return WriteJSON(j.Path(SummaryFile), j.summary)
}

// Path returns the path of a file of the run.
func (j *Judged) Path(name string) string { return j.run.Path(name) }
