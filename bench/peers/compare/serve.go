package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"hourglass/engine"
	"hourglass/internal/bench"
	"hourglass/internal/peakmem"
)

// serve is our side: it answers commands until its input ends.
func serve(in io.Reader, out io.Writer, threads int) error {
	e, err := engine.New(engine.Options{Threads: threads})
	if err != nil {
		return err
	}
	defer e.Close()
	var subject *bench.Subject
	lines := bufio.NewScanner(in)
	answers := json.NewEncoder(out)
	for lines.Scan() {
		var c command
		var a answer
		err := json.Unmarshal(lines.Bytes(), &c)
		if err == nil {
			subject, a, err = do(e, subject, c)
		}
		if err != nil {
			a.Error = err.Error()
		}
		if err := answers.Encode(a); err != nil {
			return err
		}
	}
	return lines.Err()
}

func do(e *engine.Engine, s *bench.Subject, c command) (*bench.Subject, answer, error) {
	switch c.Do {
	case "open":
		s, err := bench.NewSubject(e, c.Program)
		if err != nil {
			return nil, answer{}, err
		}
		return s, answer{Flops: s.Flops, Bytes: s.Bytes}, nil
	case "export":
		s, err := bench.NewSubject(e, c.Program)
		if err == nil {
			err = s.Export(c.File)
		}
		return nil, answer{}, err
	case "memory":
		return s, answer{PeakBytes: peakmem.Bytes()}, nil
	case "time":
		if s == nil {
			return nil, answer{}, fmt.Errorf("no program is open")
		}
		seconds, err := s.Time(time.Duration(c.Seconds * float64(time.Second)))
		return s, answer{MS: seconds * 1e3}, err
	}
	return s, answer{}, fmt.Errorf("unknown command %q", c.Do)
}
