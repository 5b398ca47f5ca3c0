package arch

import (
	"fmt"
	"slices"
	"strings"

	"hourglass/nn"
)

// maxClasses bounds what a classifier tells apart.
const maxClasses = 1 << 16

// smallImage is the longest side for which a residual network keeps the size
// at first: the form for ImageNet would leave 2×2 places of it.
const smallImage = 96

// classifiers lists the networks by name, each for images of a longest side.
var classifiers = []struct {
	name    string
	dropout float64
	build   func(side, classes int) (nn.Sequential, error)
}{
	{"resnet18", 0, bySide(ResNet18)},
	{"resnet34", 0, bySide(ResNet34)},
	{"resnet50", 0, bySide(ResNet50)},
	{"mobilenetv2", mobileDropout, func(_, classes int) (nn.Sequential, error) { return MobileNetV2(classes) }},
	{"efficientnet-lite0", mobileDropout, func(_, classes int) (nn.Sequential, error) { return EfficientNetLite0(classes) }},
}

// bySide chooses a residual network's form by the images' longer side.
func bySide(build func(int, ResNetOptions) (nn.Sequential, error)) func(side, classes int) (nn.Sequential, error) {
	return func(side, classes int) (nn.Sequential, error) {
		return build(classes, ResNetOptions{Small: side <= smallImage})
	}
}

// Classifiers returns the names that [Classifier] knows.
func Classifiers() []string {
	names := make([]string, len(classifiers))
	for i, c := range classifiers {
		names[i] = c.name
	}
	return names
}

// Dropout returns the probability of dropout before the last layer of the network
// of a name, 0 for a name that [Classifier] does not know.
func Dropout(name string) float64 {
	if i := slices.Index(Classifiers(), name); i >= 0 {
		return classifiers[i].dropout
	}
	return 0
}

// Classifier returns the network of a name, from images [N,height,width,C] to
// logits [N,classes]. Residual networks take their form for small images up to
// a side of 96.
func Classifier(name string, height, width, classes int) (nn.Sequential, error) {
	if min(height, width) < 1 || max(height, width) > maxSide {
		return nil, fmt.Errorf("arch: images are %dx%d; height and width must be 1 to %d", height, width, maxSide)
	}
	i := slices.Index(Classifiers(), name)
	if i < 0 {
		return nil, fmt.Errorf("arch: network %q is unknown; choose one of %s", name, strings.Join(Classifiers(), ", "))
	}
	return classifiers[i].build(max(height, width), classes)
}
