package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// command is what a side is asked to do; see python/protocol.py.
type command struct {
	Do      string  `json:"do"`
	Program string  `json:"program,omitempty"`
	File    string  `json:"file,omitempty"`
	Variant string  `json:"variant,omitempty"`
	Seconds float64 `json:"seconds,omitempty"`
}

// answer is what it says.
type answer struct {
	Error         string  `json:"error,omitempty"`
	Version       string  `json:"version,omitempty"`
	OutputError   float64 `json:"output_error"`
	GradientError float64 `json:"gradient_error"`
	MS            float64 `json:"ms,omitempty"`
	Flops         int64   `json:"flops,omitempty"`
	Bytes         int64   `json:"bytes,omitempty"`
	PeakBytes     int64   `json:"peak_bytes,omitempty"`
}

// child is one side of the comparison, in a process of its own that waits
// while the other works.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func start(threads int, name string, args ...string) (*child, error) {
	cmd := exec.Command(name, args...)
	cmd.Stderr = io.Discard
	if os.Getenv("PEERS_VERBOSE") != "" {
		cmd.Stderr = os.Stderr
	}
	n := fmt.Sprint(threads)
	cmd.Env = append(os.Environ(), "PEER_THREADS="+n, "OMP_NUM_THREADS="+n, "GOMAXPROCS="+n,
		"XLA_FLAGS=--xla_cpu_multi_thread_eigen=true intra_op_parallelism_threads="+n)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := bufio.NewScanner(out)
	s.Buffer(nil, 1<<20)
	return &child{cmd, in, s}, nil
}

// ask sends a command and waits for its answer.
func (c *child) ask(what command) (answer, error) {
	var a answer
	line, err := json.Marshal(what)
	if err != nil {
		return a, err
	}
	if _, err := c.in.Write(append(line, '\n')); err != nil {
		return a, fmt.Errorf("it ended early; PEERS_VERBOSE=1 shows what it said: %w", err)
	}
	if !c.out.Scan() {
		return a, errors.New("it ended early; PEERS_VERBOSE=1 shows what it said")
	}
	if err := json.Unmarshal(c.out.Bytes(), &a); err != nil {
		return a, err
	}
	if a.Error != "" {
		return a, errors.New(a.Error)
	}
	return a, nil
}

// stop ends the process by the end of its input, or by force if it stays.
func (c *child) stop() {
	c.in.Close()
	stays := time.AfterFunc(10*time.Second, func() { c.cmd.Process.Kill() })
	defer stays.Stop()
	c.cmd.Wait()
}
