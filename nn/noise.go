package nn

import (
	"errors"

	"hourglass/engine/graph"
)

// Uniform returns numbers that are uniform on [0, 1), other ones in every
// training step: a function of the seed, the purpose, the current path and the
// step alone. The context's options must have the step.
func (c *Context) Uniform(purpose string, shape ...int) *graph.Node {
	if c.o.Step == nil {
		return c.stepless()
	}
	return c.b.RandomUniform(c.o.Step, c.o.Seed, stream(purpose, c.Path()), shape...)
}

// Normal returns standard normal numbers in the manner of Uniform.
func (c *Context) Normal(purpose string, shape ...int) *graph.Node {
	if c.o.Step == nil {
		return c.stepless()
	}
	return c.b.RandomNormal(c.o.Step, c.o.Seed, stream(purpose, c.Path()), shape...)
}

func (c *Context) stepless() *graph.Node {
	c.b.Fail(errors.New("nn: random numbers need the step's number in the context's options"))
	return c.b.Scalar(0)
}
