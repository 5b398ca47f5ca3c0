package nn

import (
	"slices"
	"strconv"

	"hourglass/engine/graph"
	"hourglass/tensor"
)

// Sequential applies its layers one after the other; layer i has the scope
// "i". An empty one returns its input.
type Sequential []Layer

// Kind returns "sequential".
func (Sequential) Kind() string { return "sequential" }

func (s Sequential) parts() []Layer { return s }

// Apply implements [Layer].
func (s Sequential) Apply(c *Context, x *graph.Node) *graph.Node {
	for i, l := range s {
		x = c.Layer(strconv.Itoa(i), l, x)
	}
	return x
}

// Residual adds to its body's result the input itself, or what the shortcut
// makes of it where there is one (He et al. 2016, section 3.2). Their scopes
// are "body" and "shortcut". Both sides must have one shape.
type Residual struct {
	Body     Layer
	Shortcut Layer // nil: the identity
}

// Kind returns "residual".
func (Residual) Kind() string { return "residual" }

func (r Residual) parts() []Layer {
	if r.Shortcut == nil {
		return []Layer{r.Body}
	}
	return []Layer{r.Body, r.Shortcut}
}

// Apply implements [Layer].
func (r Residual) Apply(c *Context, x *graph.Node) *graph.Node {
	y := c.Layer("body", r.Body, x)
	skip := x
	if r.Shortcut != nil {
		skip = c.Layer("shortcut", r.Shortcut, x)
	}
	if !y.Shape().Equal(skip.Shape()) {
		return c.Fail(r, x, "its body gives %v and its shortcut %v; they must agree", y.Shape(), skip.Shape())
	}
	return c.b.Add(y, skip)
}

// Concat gives its input to each branch and joins the results along the last
// axis. Branch i has the scope "i".
type Concat struct {
	Branches []Layer
	// Crop cuts what the later branches have at the bottom and right beyond the
	// height and width of the first one's result. A network that halves images
	// and doubles them again needs it for odd sizes.
	Crop bool
}

// Kind returns "concat".
func (Concat) Kind() string { return "concat" }

func (l Concat) parts() []Layer { return l.Branches }

// Apply implements [Layer].
func (l Concat) Apply(c *Context, x *graph.Node) *graph.Node {
	if len(l.Branches) == 0 {
		return c.Fail(l, x, "it needs at least one branch")
	}
	results := make([]*graph.Node, len(l.Branches))
	for i, branch := range l.Branches {
		results[i] = c.Layer(strconv.Itoa(i), branch, x)
		if l.Crop {
			results[i] = cropTo(c, results[i], results[0].Shape())
		}
		if !sameButLast(results[0].Shape(), results[i].Shape()) {
			return c.Fail(l, x, "branch 0 gives %v and branch %d %v; they may differ in the last axis only",
				results[0].Shape(), i, results[i].Shape())
		}
	}
	return c.b.Concat(results[0].Shape().Rank()-1, results...)
}

// cropTo cuts off images what reaches beyond the height and width of shape.
func cropTo(c *Context, x *graph.Node, shape tensor.Shape) *graph.Node {
	s := x.Shape()
	if s.Rank() != 4 || shape.Rank() != 4 || s[1] <= shape[1] && s[2] <= shape[2] {
		return x
	}
	return c.b.Slice(x, []int{0, 0, 0, 0}, []int{s[0], min(s[1], shape[1]), min(s[2], shape[2]), s[3]})
}

func sameButLast(s, t tensor.Shape) bool {
	n := len(s) - 1
	return n >= 0 && len(t) == n+1 && slices.Equal(s[:n], t[:n])
}
