package emulate

import (
	"io/fs"
	"math"
	"math/big"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// Every instruction of every file of assembly must be known.
func TestReadsAll(t *testing.T) {
	files, functions := 0, 0
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".s" || strings.Contains(path, "peak") {
			return err // what peak measures with is registers alone
		}
		f, err := Open(path)
		if err != nil {
			t.Error(err)
			return nil
		}
		files++
		functions += len(f.functions)
		return nil
	})
	if err != nil || files < 5 || functions < 200 {
		t.Errorf("read %d functions in %d files, %v", functions, files, err)
	}
}

// assemble returns a function of a body that gets the addresses of its
// operands in AX and BX and of its result in CX.
func assemble(t *testing.T, body string) func(a, b, result []float32) {
	t.Helper()
	f, err := Parse("DATA number<>+0(SB)/4, $0x40400000\nGLOBL number<>(SB), RODATA|NOPTR, $4\n" +
		"TEXT ·f(SB), NOSPLIT, $16-24\n\tMOVQ a+0(FP), AX\n\tMOVQ b+8(FP), BX\n\tMOVQ result+16(FP), CX\n\t" + strings.ReplaceAll(body, "; ", "\n\t") + "\n\tRET\n")
	if err != nil {
		t.Fatal(err)
	}
	call := f.wrap(reflect.TypeFor[func(a, b, result *float32)](), f.functions["f"]).Interface().(func(a, b, result *float32))
	return func(a, b, result []float32) { call(&a[0], &b[0], &result[0]) }
}

// The instructions that AVX2 lacks, against what the manual says of them.
// a is 1 to 16, b is 10 to 160, the result is -1 before.
func TestInstructions(t *testing.T) {
	nan := float32(math.NaN())
	seq := func(f func(i int) float32) []float32 {
		v := make([]float32, 16)
		for i := range v {
			v[i] = f(i)
		}
		return v
	}
	for _, c := range []struct {
		name, body string
		want       []float32
	}{
		{"a masked load clears the rest", "MOVL $0x8005, DX; KMOVW DX, K1; VMOVUPS.Z (AX), K1, Z3; VMOVUPS Z3, (CX)",
			[]float32{1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16}},
		{"a masked store keeps the rest", "MOVL $0x0006, DX; KMOVW DX, K1; VMOVUPS (AX), Z3; VMOVUPS Z3, K1, (CX)",
			[]float32{-1, 2, 3, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}},
		{"a masked sum keeps the rest", "MOVL $0x0001, DX; KMOVW DX, K2; VMOVUPS (AX), Z1; VMOVUPS (BX), Z2; VADDPS (AX), Z2, K2, Z1; VMOVUPS Z1, (CX)",
			seq(func(i int) float32 { return map[bool]float32{true: 11, false: float32(i + 1)}[i == 0] })},
		{"bits below a number", "MOVL $0xffff, DX; MOVL $0x03, SI; BZHIL SI, DX, DX; KMOVW DX, K1; VMOVUPS (AX), Z3; VMOVUPS Z3, K1, (CX)",
			[]float32{1, 2, 3, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}},
		{"one element for all", "VMOVUPS (AX), Z1; VMOVUPS (BX), Z2; VFMADD213PS.BCST number<>+0(SB), Z1, Z2; VMOVUPS Z2, (CX)",
			seq(func(i int) float32 { return 10*float32(i+1)*float32(i+1) + 3 })},
		{"second minus first", "VMOVUPS (AX), Z1; VSUBPS (BX), Z1, Z2; VMOVUPS Z2, (CX)", seq(func(i int) float32 { return -9 * float32(i+1) })},
		{"less a product", "VMOVUPS (AX), Z1; VMOVUPS (AX), Z2; VFNMADD231PS (BX), Z1, Z2; VMOVUPS Z2, (CX)",
			seq(func(i int) float32 { return float32(i+1) - 10*float32(i+1)*float32(i+1) })},
		{"halves", "VMOVUPS (AX), Z1; VEXTRACTF64X4 $0x01, Z1, Y2; VEXTRACTF128 $0x01, Y2, X3; VMOVUPS Y2, (CX); VMOVUPS X3, 32(CX)",
			[]float32{9, 10, 11, 12, 13, 14, 15, 16, 13, 14, 15, 16, -1, -1, -1, -1}},
		{"a narrow result clears what is above", "VMOVUPS (AX), Z1; VMOVUPS (AX), X1; VMOVUPS Z1, (CX)", []float32{1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
		{"the end of a function clears halves", "VMOVUPS (AX), Z1; VZEROUPPER; VMOVUPS Z1, (CX)", []float32{1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
		{"within 128 bits", "VMOVUPS (AX), Z1; VPERMILPS $0x4e, Z1, Z2; VMOVUPS Z2, (CX)", []float32{3, 4, 1, 2, 7, 8, 5, 6, 11, 12, 9, 10, 15, 16, 13, 14}},
		{"the second where they cannot be compared", "VPXORD Z1, Z1, Z1; VDIVPS Z1, Z1, Z1; VMOVUPS (AX), Z2; VMAXPS Z1, Z2, Z3; VMAXPS Z2, Z1, Z4; VMOVUPS X3, (CX); VMOVUPS X4, 16(CX)",
			[]float32{nan, nan, nan, nan, 1, 2, 3, 4, -1, -1, -1, -1, -1, -1, -1, -1}},
		{"comparisons and masks", "VMOVUPS (AX), Z1; VBROADCASTSS number<>+0(SB), Z2; VCMPPS $0x01, Z2, Z1, K1; VCMPPS $0x00, Z2, Z1, K2; KORW K1, K2, K3; KANDNW K3, K1, K4; VMOVUPS Z1, K4, (CX)",
			[]float32{-1, -1, 3, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}},
		{"powers of two", "VMOVUPS (AX), Z1; VBROADCASTSS number<>+0(SB), Z2; VSCALEFPS Z1, Z2, Z3; VMOVUPS Z3, (CX)", seq(func(i int) float32 { return 3 * float32(int(2)<<i) })},
		{"whole numbers", "VMOVUPS (AX), Z1; VBROADCASTSS number<>+0(SB), Z2; VDIVPS Z2, Z1, Z1; VRNDSCALEPS $0x09, Z1, Z3; VMOVUPS Z3, (CX)", seq(func(i int) float32 { return float32((i + 1) / 3) })},
		{"local variables, loops and conditions", "MOVQ $0x02, 8(SP); VPXORD Z1, Z1, Z1\n\nagain:\n\tVADDPS (AX), Z1, Z1; DECQ 8(SP); CMPQ 8(SP), $-1; JNE again; VMOVUPS Z1, (CX)",
			seq(func(i int) float32 { return 3 * float32(i+1) })},
		{"scaled addresses", "MOVQ $0x03, DX; SHLQ $0x02, DX; LEAQ (DX)(DX*2), SI; VMOVSS -4(AX)(SI*1), X1; VMOVSS X1, (CX)(DX*1)",
			[]float32{-1, -1, -1, 9, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}},
	} {
		a, b, got := seq(func(i int) float32 { return float32(i + 1) }), seq(func(i int) float32 { return 10 * float32(i+1) }), seq(func(int) float32 { return -1 })
		assemble(t, c.body)(a, b, got)
		for i, v := range got {
			if v != c.want[i] && (v == v || c.want[i] == c.want[i]) {
				t.Errorf("%s: element %d is %v, want %v\n%s", c.name, i, v, c.want[i], strings.ReplaceAll(c.body, "; ", "\n"))
				break
			}
		}
	}
}

// A fused multiply-add rounds once.
func TestFMA(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 200_000 {
		x, y := math.Float32frombits(r.Uint32()), math.Float32frombits(r.Uint32())
		z := math.Float32frombits(r.Uint32())
		if i%2 == 0 { // near to what cancels, or to half of a last bit
			x, y = float32(r.NormFloat64()), float32(r.NormFloat64())
			z = -x * y * float32(math.Exp2(float64(r.IntN(60)-30)))
			if i%4 == 0 {
				z = -x * y
			}
		}
		got := fma(x, y, z)
		if math.IsNaN(float64(got)) || math.IsInf(float64(got), 0) || x != x || y != y || z != z || math.IsInf(float64(z), 0) {
			continue
		}
		exact := func() *big.Float { return new(big.Float).SetPrec(2000) }
		product := exact().Mul(exact().SetFloat64(float64(x)), exact().SetFloat64(float64(y)))
		want, _ := exact().Add(product, exact().SetFloat64(float64(z))).Float32()
		if got != want {
			t.Fatalf("%v·%v + %v is %v, want %v", x, y, z, got, want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for want, body := range map[string]string{
		"not known":                "FROB AX, BX",
		"MOVQ AX: these operands":  "MOVQ AX",
		"MOVB AX, (BX): these":     "MOVB AX, (BX)",
		"MOVL AX, (BX): these":     "MOVL AX, (BX)",
		"KMOVW K1, AX: these":      "KMOVW K1, AX",
		"this function is not":     "\nTEXT f(SB), NOSPLIT, $0-8",
		"this data is not known":   "\nDATA a+0(SB)/4, $1",
		"this declaration is not":  "\nGLOBL a(SB), 8, $x",
		"no operand":               "MOVQ AX, nowhere%",
		"no register K9":           "KMOVW AX, K9",
		"there is no data":         "VBROADCASTSS other<>+0(SB), Z1",
		"operands are not known":   "VADDPS Z1, Y2, Z3",
		"the suffix RN_SAE":        "VADDPS.RN_SAE Z1, Z2, Z3",
		"a frame of 100000000":     "",
		"there is no function":     "",
		"these operands are not":   "VMOVUPS.Z Z1, Z2",
		"there is no register":     "MOVQ (ZZ), AX",
		"line 2: VMOVUPS (AX), Q1": "VMOVUPS (AX), Q1",
		"the bytes c4 e2 78 are":   "BYTE $0xc4\n\tBYTE $0xe2\n\tBYTE $0x78",
		"the bytes c4 e2 7b 49 c1": "BYTE $0xc4\n\tBYTE $0xe2\n\tBYTE $0x7b\n\tBYTE $0x49\n\tBYTE $0xc1",
		"the bytes 90":             "BYTE $0x90",
		"value out of range":       "BYTE $0x190",
	} {
		text := "TEXT ·f(SB), NOSPLIT, $0-8\n\t" + body + "\n\tRET\n"
		switch want {
		case "a frame of 100000000":
			text = "TEXT ·f(SB), NOSPLIT, $100000000-8\n\tRET\n"
		case "there is no function":
			text = "// nothing\n"
		}
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one about %q", body, err, want)
		}
	}
}
