// Package emulate carries out the project's assembly instruction by
// instruction, so that tests can run kernels for AVX-512, and those for tiles, on
// processors that lack them. It reads the .s files themselves, and knows the instructions that
// the generators below internal/kernel/_asm emit, some of them byte by byte, and
// no others: what it does not know, it refuses when a file is read.
//
// Semantics are those of Intel's Software Developer's Manual, volume 2, in the
// operand order of Go's assembler: the destination comes last.
package emulate

import (
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"unsafe"
)

// File is a file of assembly, read.
type File struct {
	functions map[string]*function
	data      map[string][]byte // read-only data by symbol
	machines  sync.Pool
}

// Open reads a file of assembly.
func Open(path string) (*File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f, err := Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// Replace puts emulated functions in the place of all those that a table of
// kernels holds, directly or in structs, arrays, slices, maps, interfaces and
// behind pointers, and that are assembly of the file. It returns how many there are.
func Replace(f *File, table any) int {
	r := replacer{file: f, seen: make(map[unsafe.Pointer]bool)}
	r.walk(reflect.ValueOf(table))
	return r.count
}

type replacer struct {
	file  *File
	seen  map[unsafe.Pointer]bool // what pointers point to
	count int
}

func (r *replacer) walk(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() && !r.seen[v.UnsafePointer()] {
			r.seen[v.UnsafePointer()] = true
			r.walk(v.Elem())
		}
	case reflect.Interface:
		r.walk(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			r.walk(settable(v.Field(i)))
		}
	case reflect.Array, reflect.Slice:
		for i := range v.Len() {
			r.walk(settable(v.Index(i)))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() { // elements cannot be changed where they lie
			element := reflect.New(v.Type().Elem()).Elem()
			element.Set(v.MapIndex(key))
			r.walk(element)
			v.SetMapIndex(key, element)
		}
	case reflect.Func:
		if fn := r.file.functions[nameOf(v)]; fn != nil {
			v.Set(r.file.wrap(v.Type(), fn))
			r.count++
		}
	}
}

// settable returns a field or element such that it can be set even if its name
// is not exported.
func settable(v reflect.Value) reflect.Value {
	if !v.CanAddr() {
		return v
	}
	return reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()
}

// nameOf returns the name of a function without its package.
func nameOf(v reflect.Value) string {
	if v.IsNil() {
		return ""
	}
	full := runtime.FuncForPC(v.Pointer()).Name()
	return full[strings.LastIndexByte(full, '.')+1:]
}

// wrap returns a function of a type that runs one of assembly. Arguments
// and results lie in a frame as in Go's stable calling convention (ABI0): one
// after the other, each aligned, the results from a multiple of 8 on.
func (f *File) wrap(t reflect.Type, fn *function) reflect.Value {
	var offsets []uintptr
	size := uintptr(0)
	place := func(t reflect.Type) {
		align := uintptr(t.Align())
		size = (size + align - 1) / align * align
		offsets = append(offsets, size)
		size += t.Size()
	}
	for i := range t.NumIn() {
		place(t.In(i))
	}
	size = (size + 7) / 8 * 8
	for i := range t.NumOut() {
		place(t.Out(i))
	}
	return reflect.MakeFunc(t, func(args []reflect.Value) []reflect.Value {
		frame := make([]uint64, size/8+1)
		base := unsafe.Pointer(&frame[0])
		for i, a := range args {
			reflect.NewAt(t.In(i), unsafe.Add(base, offsets[i])).Elem().Set(a)
		}
		f.run(fn, base)
		runtime.KeepAlive(args)
		results := make([]reflect.Value, t.NumOut())
		for i := range results {
			results[i] = reflect.New(t.Out(i)).Elem()
			results[i].Set(reflect.NewAt(t.Out(i), unsafe.Add(base, offsets[len(args)+i])).Elem())
		}
		return results
	})
}

// run carries out a function with arguments at frame.
func (f *File) run(fn *function, frame unsafe.Pointer) {
	m, _ := f.machines.Get().(*machine)
	if m == nil {
		m = new(machine)
	}
	defer f.machines.Put(m)
	m.begin(fn, frame)
	for m.pc >= 0 {
		next := fn.code[m.pc]
		m.pc++
		next(m)
	}
}
