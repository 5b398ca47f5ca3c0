// Package model holds what the models of every task share: the file, a
// safetensors file whose metadata say what the tensors are (format, version,
// task, architecture, configuration, preprocessing, training record), and how
// many images pass through a network together.
package model

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"

	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/format/safetensors"
	"hourglass/nn"
	"hourglass/tensor"
	"hourglass/train"
)

// Keys of a model file's metadata.
const (
	keyFormat       = "format"
	keyVersion      = "version"
	keyTask         = "task"
	keyArchitecture = "architecture"
	keyConfig       = "config"
	keyPreprocess   = "preprocessing"
	keyRecord       = "training"

	format     = "hourglass model"
	version    = 1
	preprocess = "pixels/255 in 0-1, [N,H,W,C]"
)

// ErrModel is in the chain of errors about a file that is not a model which
// this program can use.
var ErrModel = errors.New("not a usable model")

// Envelope is what a model file says beside its tensors.
type Envelope struct {
	// Task says what the model is for; it must not be empty.
	Task string
	// Architecture and Config are marshalled as JSON. A network given as
	// Architecture is written by [nn.Marshal], for [File.Layer] to read; one inside
	// of something else must be what nn.Marshal returns, a [json.RawMessage].
	Architecture any
	Config       any
	Record       train.Record // written without times
	// Half stores the tensors in 16 bits, which halves the file; what they
	// are rounded to is what [safetensors.RoundToHalf] leaves of them.
	Half bool
}

// Save writes a model to a file: the parameters and states of a network from
// the store that holds them. The same model gives the same bytes.
func Save(path string, e Envelope, params []nn.Param, store *backend.Store) error {
	if e.Task == "" {
		return errors.New("model: the name of a task is missing")
	}
	if l, ok := e.Architecture.(nn.Layer); ok {
		text, err := nn.Marshal(l)
		if err != nil {
			return err
		}
		e.Architecture = json.RawMessage(text)
	}
	metadata := map[string]string{
		keyFormat:     format,
		keyVersion:    strconv.Itoa(version),
		keyTask:       e.Task,
		keyPreprocess: preprocess,
	}
	for key, v := range map[string]any{keyArchitecture: e.Architecture, keyConfig: e.Config, keyRecord: e.Record.WithoutTimes()} {
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		metadata[key] = string(text)
	}
	var tensors []safetensors.Tensor
	for _, p := range params {
		v := store.Get(p.Name)
		if e.Half {
			tensors = append(tensors, safetensors.NewHalf(p.Name, v.Shape(), v.Float32()))
			continue
		}
		tensors = append(tensors, safetensors.New(p.Name, v.Shape(), v.Float32()))
	}
	if err := safetensors.WriteFile(path, tensors, metadata); err != nil {
		return fmt.Errorf("cannot write the model %s: %w", path, err)
	}
	return nil
}

// File is a model file that is being read.
type File struct {
	path string
	in   *safetensors.File
}

// Open opens a model file of any task. Errors of this and the methods name
// the file and say what is wrong with it.
func Open(path string) (*File, error) {
	in, err := safetensors.Open(path)
	if err != nil {
		return nil, err
	}
	return check(path, in)
}

// Read reads a model of any task that lies in memory; name stands for it in
// errors.
func Read(name string, content []byte) (*File, error) {
	in, err := safetensors.NewFile(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return check(name, in)
}

// check reports a file that is not that of a model.
func check(name string, in *safetensors.File) (f *File, err error) {
	f = &File{name, in}
	if got := in.Metadata[keyFormat]; got != format {
		err = f.Fail("its metadata do not say %q; it was not written by hourglass", format)
	} else if v, verr := strconv.Atoi(in.Metadata[keyVersion]); verr != nil || v < 1 || v > version {
		err = f.Fail("its format has version %q and this program reads up to %d: update hourglass", in.Metadata[keyVersion], version)
	}
	if err != nil {
		in.Close()
		return nil, err
	}
	return f, nil
}

// Close ends the reading.
func (f *File) Close() error { return f.in.Close() }

// Fail makes an error about the file, which wraps [ErrModel].
func (f *File) Fail(reason string, args ...any) error {
	return fmt.Errorf("%s: %w: %w", f.path, ErrModel, fmt.Errorf(reason, args...))
}

// Task returns the name of the task that the model was trained for.
func (f *File) Task() string { return f.in.Metadata[keyTask] }

// TaskOf returns the name of the task of the model in a file.
func TaskOf(path string) (string, error) {
	f, err := Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return f.Task(), nil
}

// CheckTask reports a model that was trained for another task.
func (f *File) CheckTask(task string) error {
	if got := f.Task(); got != task {
		return f.Fail("it was trained for the task %q, not %q", got, task)
	}
	return nil
}

// Decode reads the metadata of a model of a task into pointers to what was
// saved; nil leaves a part out. A network is read into a [json.RawMessage], which
// Layer makes one of. It fails for a model of another task.
func (f *File) Decode(task string, architecture, config any, record *train.Record) error {
	if err := f.CheckTask(task); err != nil {
		return err
	}
	parts := map[string]any{keyArchitecture: architecture, keyConfig: config}
	if record != nil {
		parts[keyRecord] = record
	}
	for key, into := range parts {
		if into == nil {
			continue
		}
		if err := json.Unmarshal([]byte(f.in.Metadata[key]), into); err != nil {
			return f.Fail("its %s cannot be read: %w", key, err)
		}
	}
	return nil
}

// Layer reads a network from its JSON; part names it in errors.
func (f *File) Layer(part string, text json.RawMessage) (nn.Layer, error) {
	l, err := nn.Unmarshal(text)
	if err != nil {
		return nil, f.Fail("its %s cannot be read: %w", part, err)
	}
	return l, nil
}

// CheckImages reports a size that the images of a model cannot have.
func (f *File) CheckImages(height, width, channels int) error {
	if err := (tensor.Shape{1, height, width, channels}).Validate(); err != nil {
		return f.Fail("its images have an impossible size: %w", err)
	}
	if channels != 1 && channels != 3 {
		return f.Fail("its images have %d channels, and not 1 (grey) or 3 (colour)", channels)
	}
	return nil
}

// holds reports whether the file has a parameter in its shape. The header has
// been checked against the file's length, so a shape found there is of a size
// that the file really holds.
func (f *File) holds(p nn.Param) bool {
	info, ok := f.in.Lookup(p.Name)
	return ok && tensor.Shape(info.Shape).Equal(p.Node.Shape())
}

// Sum returns the SHA-256 of a file, in hexadecimal digits.
func Sum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Fill reads the tensors of a network into the store and freezes it: a model
// that was read is one to use.
func (f *File) Fill(params []nn.Param, store *backend.Store) error {
	for _, p := range params {
		if !f.holds(p) {
			return f.Fail("it has no %s of shape %v", p.Name, p.Node.Shape())
		}
		v, err := store.Variable(p.Name, tensor.Float32, p.Node.Shape())
		if err != nil {
			return f.Fail("%w", err)
		}
		if err := f.read(p.Name, v.Float32()); err != nil {
			return err
		}
	}
	store.Freeze()
	return nil
}

// read reads a parameter, which must hold finite numbers.
func (f *File) read(name string, values []float32) error {
	if err := f.in.Float32s(name, values); err != nil {
		return f.Fail("%w", err)
	}
	for _, v := range values {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return f.Fail("its %s holds %v, which no training leaves", name, v)
		}
	}
	return nil
}

// Take reads those parameters into the store, which has them all, that the file
// holds under the same names and in the same shapes, and returns how many of the
// numbers of all are taken. The others stay as they are.
func (f *File) Take(params []nn.Param, store *backend.Store) (taken, all int, err error) {
	for _, p := range params {
		n := p.Node.Shape().Elements()
		all += n
		if !f.holds(p) {
			continue
		}
		if err := f.read(p.Name, store.Get(p.Name).Float32()); err != nil {
			return taken, all, err
		}
		taken += n
	}
	return taken, all, nil
}

// Pixels turns bytes into numbers in 0–1.
func Pixels(b *graph.Builder, images *graph.Node) *graph.Node {
	return b.Scale(b.Cast(images), 1.0/255)
}

// Floats returns pixels in 0–255 as values in 0–1.
func Floats(pixels []uint8) []float32 {
	v := make([]float32, len(pixels))
	for i, p := range pixels {
		v[i] = float32(p) / 255
	}
	return v
}

// Bytes returns values in 0–1 as pixels in 0–255, rounded to nearest.
func Bytes(values []float32) []uint8 {
	b := make([]uint8, len(values))
	for i, v := range values {
		b[i] = uint8(max(0, min(255, math.Round(float64(v)*255))))
	}
	return b
}

const (
	// maxLayer caps the elements of one layer's result for one image, so that
	// a file that describes absurd layers is refused and not run: 1 GB.
	maxLayer = 1 << 28
	// maxTotal bounds what all layers give for the images that pass together,
	// as a program may have to hold much of it at once.
	maxTotal = 1 << 29
	// batchElements and maxBatch bound how many images pass through a model
	// together: enough to keep its kernels busy, and no more, since the memory
	// of its programs grows with it.
	batchElements = 1 << 22
	maxBatch      = 64
	// blockElements and maxBlock bound the results that are held at a time.
	blockElements = 1 << 24
	maxBlock      = 256
)

// Batch returns how many images pass together through a network that was
// traced for one image of so many numbers. It fails if a layer, or all of them
// together, are absurdly large.
func Batch(image int, rows []nn.Row) (int, error) {
	image = max(1, image)
	largest, total := image, image
	for _, row := range rows {
		n := row.Output.Elements()
		largest, total = max(largest, n), total+min(n, maxLayer+1)
	}
	switch {
	case largest > maxLayer:
		return 0, fmt.Errorf("a layer gives %d numbers for one image; the limit is %d", largest, maxLayer)
	case total > maxTotal:
		return 0, fmt.Errorf("its layers give %d numbers for one image; the limit is %d", total, maxTotal)
	}
	return max(1, min(maxBatch, batchElements/largest, maxTotal/total)), nil
}

// Tile returns how large a tile may be that passes through a network without
// absurd memory, in pixels and at most so many, by the layers for a crop of so
// many pixels.
func Tile(most, crop int, rows []nn.Row) int {
	total := crop
	for _, row := range rows {
		total += row.Output.Elements()
	}
	return max(1, min(most, int(int64(maxTotal)*int64(crop)/int64(total))))
}

// Block returns how many images of d numbers are worked on in floating point
// between two looks at the time: a multiple of 64, the greatest batch of a model, or
// fewer if the images are large.
func Block(d int) int {
	n := min(maxBlock, max(1, blockElements/max(1, d)))
	if n > maxBatch {
		n -= n % maxBatch
	}
	return n
}

// InBatches calls f for runs of at most most of n items, of which most is at least
// 1. A last run that is shorter is padded to a full batch, so that a collection needs
// one program. Fewer than a batch in all are padded to a power of two, so that
// whoever asks for 1, 2, 3 and so on needs few.
func InBatches(n, most int, f func(at, count, batch int) error) error {
	if most < 1 {
		return fmt.Errorf("batches of at most %d images hold none", most)
	}
	batch := 1
	for batch < n {
		batch *= 2
	}
	batch = min(batch, most)
	for at := 0; at < n; at += batch {
		if err := f(at, min(batch, n-at), batch); err != nil {
			return err
		}
	}
	return nil
}
