package nn_test

import (
	"fmt"

	"hourglass/engine/backend"
	"hourglass/engine/backend/ref"
	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/tensor"
)

// A network is traced into a graph, and its parameters get their first
// values in a store that programs share.
func ExampleContext() {
	net := nn.Sequential{
		nn.Conv{Out: 8, Kernel: 3, Stride: 2},
		nn.BatchNorm{},
		nn.ReLU{},
		nn.GlobalAvgPool{},
		nn.Dense{Out: 10},
	}
	b := graph.NewBuilder("net")
	c := nn.NewContext(b, nn.Options{})
	x := b.Input("image", tensor.Float32, 1, 8, 8, 3)
	b.Output("logits", c.Layer("net", net, x))
	g, err := b.Graph()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range c.Rows() {
		fmt.Printf("%-6s %-15s %-9v %4d parameters %6d multiply-adds\n", r.Name, r.Kind, r.Output, r.Parameters, r.MACs)
	}

	store := backend.NewStore()
	if err := nn.Initialize(c.Params(), store, 1); err != nil {
		fmt.Println(err)
		return
	}
	p, err := ref.New().Compile(g, store)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := p.Run([]*tensor.Tensor{tensor.New(tensor.Float32, 1, 8, 8, 3)}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Output(0).Shape())
	// Output:
	// net.0  conv            [1 4 4 8]  224 parameters   3456 multiply-adds
	// net.1  batch_norm      [1 4 4 8]   16 parameters      0 multiply-adds
	// net.2  relu            [1 4 4 8]    0 parameters      0 multiply-adds
	// net.3  global_avg_pool [1 8]        0 parameters      0 multiply-adds
	// net.4  dense           [1 10]      90 parameters     80 multiply-adds
	// [1 10]
}

func ExampleMarshal() {
	net := nn.Sequential{
		nn.Conv{Out: 64, Padding: nn.Valid()},
		nn.Residual{Body: nn.Sequential{nn.Conv{Kernel: 1}, nn.GELU{}}},
	}
	data, err := nn.Marshal(net)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(data))
	again, err := nn.Unmarshal(data)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(again.(nn.Sequential)), "layers")
	// Output:
	// {"kind":"sequential","layers":[{"kind":"conv","out":64,"padding":"valid"},{"kind":"residual","body":{"kind":"sequential","layers":[{"kind":"conv","kernel":1},{"kind":"gelu"}]}}]}
	// 2 layers
}
