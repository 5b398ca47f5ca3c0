package optim_test

import (
	"fmt"

	"hourglass/engine/autodiff"
	"hourglass/engine/backend"
	"hourglass/engine/backend/ref"
	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/nn/loss"
	"hourglass/optim"
	"hourglass/tensor"
)

// A training program computes loss, gradients and update in one run.
func ExampleBuild() {
	b := graph.NewBuilder("line")
	x := b.Input("x", tensor.Float32, 4, 1)
	y := b.Input("y", tensor.Float32, 4, 1)
	lr, step := b.Input("lr", tensor.Float32), b.Input("step", tensor.Int32)

	c := nn.NewContext(b, nn.Options{Training: true, Step: step})
	l := loss.SquaredError(c.Layer("line", nn.Dense{Out: 1, Init: nn.InitZeros}, x), y, loss.MeanAll)
	var wrt []*graph.Node
	for _, p := range c.Trainable() {
		wrt = append(wrt, p.Node)
	}
	grads, err := autodiff.Gradients(l, wrt)
	if err != nil {
		fmt.Println(err)
		return
	}
	rule := optim.Options{Rule: optim.SGD{Momentum: 0.9}}
	if _, err := optim.Build(b, rule, c.Trainable(), grads, lr, step); err != nil {
		fmt.Println(err)
		return
	}
	b.Output("loss", l)
	g, err := b.Graph()
	if err != nil {
		fmt.Println(err)
		return
	}

	store := backend.NewStore()
	p, err := ref.New().Compile(g, store)
	if err != nil {
		fmt.Println(err)
		return
	}
	xs := tensor.Of([]float32{0, 1, 2, 3}, 4, 1)
	ys := tensor.Of([]float32{1, 3, 5, 7}, 4, 1) // y = 2x + 1
	for i := range 200 {
		n := tensor.Of([]int32{int32(i)})
		if err := p.Run([]*tensor.Tensor{xs, ys, tensor.Scalar(0.05), n}); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Printf("y = %.2fx + %.2f\n", store.Get("line.weight").Float32()[0], store.Get("line.bias").Float32()[0])
	// Output: y = 2.00x + 1.00
}

func ExampleParseSchedule() {
	s, err := optim.ParseSchedule("warmup:steps=10+cosine")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, step := range []int{0, 9, 55, 99} {
		fmt.Printf("step %d: %.3f of the base rate\n", step, s.Factor(step, 100))
	}
	// Output:
	// step 0: 0.100 of the base rate
	// step 9: 1.000 of the base rate
	// step 55: 0.500 of the base rate
	// step 99: 0.000 of the base rate
}
