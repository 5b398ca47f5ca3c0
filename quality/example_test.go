package quality_test

import (
	"fmt"

	"hourglass/quality"
)

func Example() {
	const height, width, channels = 176, 192, 1
	original := make([]uint8, height*width*channels)
	copied := make([]uint8, len(original))
	for i := range original {
		x, y := i%width, i/width
		original[i] = uint8(x/2 + y/2)
		copied[i] = original[i]
		if (x+y)%4 == 0 {
			copied[i] += 8
		}
	}
	psnr, err := quality.PSNR(original, copied, quality.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	ssim, err := quality.SSIM(original, copied, height, width, channels, quality.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	multiscale, err := quality.MSSSIM(original, copied, height, width, channels, quality.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.2f dB, SSIM %.4f, MS-SSIM %.4f\n", psnr, ssim, multiscale)
	// Output: 36.09 dB, SSIM 0.8352, MS-SSIM 0.9920
}
