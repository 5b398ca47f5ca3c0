package classify

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"hourglass/data"
	"hourglass/nn"
	"hourglass/nn/arch"
	"hourglass/train/run"
)

// stages is the number of times that the networks lecture and fast halve the
// image.
const stages = 3

// lastPool is the number of places of a side that fast pools into one at the end.
const lastPool = 3

// Names of what the first convolution of the recipe fast has.
const (
	whiteningWeight = "net.1.weight"
	whiteningBias   = "net.1.bias"
)

// network builds the layers, from pixels in 0–1 to logits. The channels are
// standardised by the moments of the images at indices; with none they are
// left as they are, which changes no shape.
func (c Config) network(set *data.Set, train []int) (nn.Sequential, error) {
	mean, deviation := moments(set, train)
	net := nn.Sequential{nn.Standardize(mean, deviation)}
	var body nn.Sequential
	var err error
	switch c.Recipe {
	case recipeLecture:
		body, err = c.lecture()
	case recipeFast:
		body, err = c.fast()
	default:
		body, err = arch.Classifier(c.Recipe, c.Height, c.Width, len(c.Classes))
	}
	if err != nil {
		return nil, fmt.Errorf("%w: --recipe %s: %w", run.ErrChoice, c.Recipe, err)
	}
	net = append(net, body...)
	if c.NoBatchNorm {
		net = withoutNorm(net).(nn.Sequential)
	}
	return withDropout(net, c.Dropout), nil
}

// lecture is the network of a course: pairs of convolutions, each with
// normalisation and a rectifier, then pooling.
func (c Config) lecture() (nn.Sequential, error) {
	if min(c.Height, c.Width) < 1<<stages {
		return nil, fmt.Errorf("images of %d×%d are halved %d times: choose --size %d or more", c.Height, c.Width, stages, 1<<stages)
	}
	var net nn.Sequential
	for _, w := range c.Widths {
		for range 2 {
			net = append(net, nn.Conv{Out: w, NoBias: true, Init: nn.InitHeNormal}, nn.BatchNorm{}, nn.ReLU{})
		}
		net = append(net, nn.MaxPool{})
	}
	return append(net, nn.Flatten{}, nn.Dense{Out: len(c.Classes)}), nil
}

// fast is the network of the speed runs: a whitening convolution, then pairs
// of convolutions that begin as partial identities, the first of each pair
// with pooling behind it.
func (c Config) fast() (nn.Sequential, error) {
	height, width := (c.Height-1)>>stages, (c.Width-1)>>stages
	if min(height, width) < 1 {
		return nil, fmt.Errorf("images of %d×%d are too small: choose --size %d or more", c.Height, c.Width, 1<<stages+1)
	}
	norm := nn.BatchNorm{Momentum: 0.4, Epsilon: 1e-12, NoScale: true}
	net := nn.Sequential{nn.Conv{Out: 2 * 4 * c.Channels, Kernel: 2, Padding: nn.Valid()}, nn.GELU{}}
	for _, w := range c.Widths {
		conv := nn.Conv{Out: w, NoBias: true, Init: nn.InitDirac}
		net = append(net, conv, nn.MaxPool{}, norm, nn.GELU{}, conv, norm, nn.GELU{})
	}
	return append(net, nn.MaxPool{Kernel: min(height, lastPool), KernelWidth: min(width, lastPool)}, nn.Flatten{},
		nn.Dense{Out: len(c.Classes), NoBias: true}, nn.Affine{Scale: []float64{1.0 / 9}}), nil
}

// withoutNorm takes batch normalisation out of a network and gives the layers
// before it a bias instead.
func withoutNorm(l nn.Layer) nn.Layer {
	switch l := l.(type) {
	case nn.Sequential:
		var kept nn.Sequential
		for _, part := range l {
			if _, ok := part.(nn.BatchNorm); !ok {
				kept = append(kept, withoutNorm(part))
			}
		}
		return kept
	case nn.Residual:
		l.Body = withoutNorm(l.Body)
		if l.Shortcut != nil {
			l.Shortcut = withoutNorm(l.Shortcut)
		}
		return l
	case nn.Concat:
		branches := make([]nn.Layer, len(l.Branches))
		for i, b := range l.Branches {
			branches[i] = withoutNorm(b)
		}
		l.Branches = branches
		return l
	case nn.Conv:
		l.NoBias = false
		return l
	case nn.Dense:
		l.NoBias = false
		return l
	}
	return l
}

// withDropout puts dropout before the last dense layer of a network, in the
// place of that which is there; none for a rate of 0.
func withDropout(net nn.Sequential, rate float64) nn.Sequential {
	for i := len(net) - 1; i >= 0; i-- {
		if _, ok := net[i].(nn.Dense); !ok {
			continue
		}
		head := net[:i:i]
		if i > 0 {
			if _, ok := net[i-1].(nn.Dropout); ok {
				head = net[: i-1 : i-1]
			}
		}
		if rate > 0 {
			head = append(head, nn.Dropout{Rate: rate})
		}
		return append(head, net[i:]...)
	}
	return net
}

// sampled is the number of images that moments and whitening are measured on.
const sampled = 5000

// moments returns the mean and the deviation of each channel, in 0–1, over
// some images.
func moments(set *data.Set, images []int) (mean, deviation []float64) {
	channels := set.Channels
	mean, deviation = make([]float64, channels), make([]float64, channels)
	sum, squares := make([]int64, channels), make([]int64, channels)
	few := run.Spread(images, sampled)
	for _, i := range few {
		for k, v := range set.Image(i) {
			sum[k%channels] += int64(v)
			squares[k%channels] += int64(v) * int64(v)
		}
	}
	n := float64(len(few) * set.Height * set.Width)
	for k := range channels {
		deviation[k] = 1
		if n == 0 {
			continue
		}
		m := float64(sum[k]) / n
		mean[k] = m / 255
		if v := float64(squares[k])/n - m*m; v > 1 {
			deviation[k] = math.Sqrt(v) / 255
		}
	}
	return mean, deviation
}

// whitening returns the weights [2,2,C,2·4·C] of a convolution that makes the
// patches of images uncorrelated: the eigenvectors of their covariance, each
// divided by the root of its eigenvalue, and their negatives (Jordan 2024,
// section 3.2).
func whitening(set *data.Set, images []int) ([]float32, error) {
	const side = 2
	c := set.Channels
	d := side * side * c
	mean, deviation := moments(set, images)
	covariance := mat.NewSymDense(d, nil)
	sums := make([]float64, d*d)
	patch := make([]float64, d)
	count := 0.0
	for _, i := range run.Spread(images, sampled) {
		image := set.Image(i)
		for y := 0; y+side <= set.Height; y++ {
			for x := 0; x+side <= set.Width; x++ {
				for k := range d {
					dy, dx, ch := k/(side*c), k/c%side, k%c
					patch[k] = (float64(image[((y+dy)*set.Width+x+dx)*c+ch])/255 - mean[ch]) / deviation[ch]
				}
				for a := range d {
					for b := a; b < d; b++ {
						sums[a*d+b] += patch[a] * patch[b]
					}
				}
				count++
			}
		}
	}
	for a := range d {
		for b := a; b < d; b++ {
			covariance.SetSym(a, b, sums[a*d+b]/count)
		}
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(covariance, true) {
		return nil, fmt.Errorf("the covariance of the images' patches has no eigenvectors: choose another recipe than fast")
	}
	values := eigen.Values(nil)
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	const least = 5e-4 // keeps directions of next to no variance from being blown up
	weights := make([]float32, d*2*d)
	for j := range d {
		scale := 1 / math.Sqrt(values[d-1-j]+least)
		for k := range d {
			v := float32(scale * vectors.At(k, d-1-j))
			weights[k*2*d+j], weights[k*2*d+d+j] = v, -v
		}
	}
	return weights, nil
}
