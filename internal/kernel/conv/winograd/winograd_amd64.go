//go:build amd64 && !noasm

package winograd

import "hourglass/internal/isa"

var (
	avx2 = [2]Transforms{
		{2, 4, 8, input2AVX2, spread2AVX2, filter2AVX2, output2AVX2, unfilter2AVX2},
		{4, 6, 8, input4AVX2, spread4AVX2, filter4AVX2, output4AVX2, unfilter4AVX2},
	}
	avx512 = [2]Transforms{
		{2, 4, 16, input2AVX512, spread2AVX512, filter2AVX512, output2AVX512, unfilter2AVX512},
		{4, 6, 16, input4AVX512, spread4AVX512, filter4AVX512, output4AVX512, unfilter4AVX512},
	}
)

func transformsFor(level isa.Level, size int) *Transforms {
	switch level {
	case isa.AVX2:
		return &avx2[size/2-1]
	case isa.AVX512:
		return &avx512[size/2-1]
	}
	return portable(size)
}
