package autoencode

// Evidence is what a report shows besides the figures: pictures, all uint8
// [H,W,C] of the run's size.
type Evidence struct {
	Samples    []Sample
	Map        []MapPoint
	Neighbours []Neighbourhood
}

// Sample is a held-out image and what is left of it after k numbers.
type Sample struct {
	Name                       string
	Label                      int // -1 without labels
	Original, Autoencoder, PCA []uint8
	AutoencoderPSNR, PCAPSNR   float64 // dB
}

// MapPoint is a held-out image at the place that t-SNE gave its code.
type MapPoint struct {
	X, Y  float64
	Label int // -1 without labels
	Name  string
	Image []uint8
}

// Neighbourhood is a held-out image and the images learnt from that are
// nearest to it, nearest first, in each of two spaces.
type Neighbourhood struct {
	Query          Neighbour
	Latent, Pixels []Neighbour
}

// Neighbour is an image that stands beside a query.
type Neighbour struct {
	Name  string
	Label int // -1 without labels
	Image []uint8
}
