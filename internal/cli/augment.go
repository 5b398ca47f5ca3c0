package cli

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"hourglass/data"
	"hourglass/data/augment"
	"hourglass/internal/report"
)

// augmented is the result of augment.
type augmented struct {
	Source  string           `json:"source"`
	Augment string           `json:"augment"` // the list, each part with its strength
	Seed    uint64           `json:"seed"`
	Columns []augmentColumn  `json:"columns"` // after the original
	Rows    []augmentedImage `json:"rows"`
	Skipped int              `json:"skipped"`
	Out     string           `json:"out"`
}

type augmentColumn struct {
	Augment string `json:"augment"`
	Changed int    `json:"changed"` // images of the sheet that came out different
}

type augmentedImage struct {
	Name  string          `json:"name"`
	Index int             `json:"index"` // in the source
	Drawn []augment.Drawn `json:"drawn"`
}

// Limits of a sheet, and what a picture is enlarged to.
const (
	mostSheetBytes   = 1 << 28 // of all its pictures
	defaultSheetRows = 8
	maxSheetRows     = 256
	sheetSide        = 128
	maxSheetScale    = 16
	shownMix         = 8 // shares near one half show best what mixing does
)

func (a *app) augment() *cobra.Command {
	var list, out string
	var seed uint64
	var rows, size int
	var about strings.Builder
	for _, k := range augment.Transformations() {
		fmt.Fprintf(&about, "\n  %-12s %s (default %v, at most %v)", k.Name, k.Doc, k.Default, k.Max)
	}
	c := &cobra.Command{
		Use:   "augment SOURCE --out SHEET.png",
		Short: "show what transformations do to training images",
		Long: `Augment draws a sheet: one row an image, one column a transformation, the original
first. SOURCE is whatever learn reads. A list names transformations, each with
its strength s if it is not to be the default, and sees all of them together in a
last column. Without a list the sheet shows every transformation that changes
one of its images, and the two ways of train classify to mix images.
` + about.String() + `

jitter=s stands for brightness, contrast, saturation and a quarter of s of hue;
border=zero makes black what lies outside an image, and not its reflection.`,
		Example: `  hourglass augment fashion --out preview.png
  hourglass augment photos/ --augment flip,crop=0.6,jitter,erase --images 12 --out preview.png`,
		Args: takes(1, 1, "SOURCE"),
	}
	flags := c.Flags()
	flags.SortFlags = false
	flags.StringVar(&out, "out", "", "file for the sheet, .png (required)")
	flags.StringVar(&list, "augment", "", "transformations to show, such as flip,shift=2,rotate=15 (default: all)")
	flags.Uint64Var(&seed, flagSeed, 1, "seed of everything random")
	flags.IntVar(&rows, "images", defaultSheetRows, "images to show, spread over the source")
	flags.IntVar(&size, "size", 0, "side in pixels that the images are brought to (default: their own, if all agree)")
	c.RunE = a.run(func(c *cobra.Command, args []string) error {
		switch {
		case out == "":
			return usageError{fmt.Errorf("--out is missing: name a file that ends in .png")}
		case !strings.EqualFold(filepath.Ext(out), ".png"):
			return usageError{fmt.Errorf("--out %s: name a file that ends in .png", quote(out))}
		case rows < 1 || rows > maxSheetRows:
			return usageError{fmt.Errorf("--images %d: choose 1 to %d", rows, maxSheetRows)}
		}
		if err := checkSize(flags); err != nil {
			return err
		}
		p, err := allTransformations()
		if flags.Changed("augment") {
			p, err = augment.Parse(list)
		}
		if err != nil {
			return usageError{fmt.Errorf("--augment: %w", err)}
		}
		if p.Empty() {
			return usageError{fmt.Errorf("--augment %s: there is nothing to show: name a transformation of some strength", quote(list))}
		}
		if err := resultFile("out", out, inputsOf(args[0])); err != nil {
			return err
		}
		t := a.tracker()
		defer t.close()
		t.begin("reading")
		set, err := data.Open(c.Context(), args[0], data.Options{Size: size, Threads: a.threads, Progress: t.read})
		if err != nil {
			return err
		}
		t.warn(set.Warnings)
		if n := (len(p.Each()) + 4) * min(rows, set.Len()); n > mostSheetBytes/set.ImageBytes() {
			return usageError{fmt.Errorf("--images %d: as many images of %s as the sheet would have are too many: choose fewer, or a smaller --size", rows, shape(set.Height, set.Width, set.Channels))}
		}
		s := newAugmentSheet(set, p, flags.Changed("augment"), seed, min(rows, set.Len()))
		picture, err := report.Sheet(s.pictures, report.SheetOptions{Heads: s.heads,
			Scale: min(max(1, sheetSide/max(set.Height, set.Width)), maxSheetScale)})
		if err != nil {
			return err
		}
		if err := writePNG(out, picture); err != nil {
			return unwritable(err)
		}
		t.conclude(true)
		r := augmented{Source: args[0], Augment: s.pipeline.String(), Seed: seed, Columns: s.columns, Rows: s.rows, Skipped: len(set.Skipped), Out: out}
		return a.result(r, func(w io.Writer) {
			fmt.Fprintf(w, "%s in %s: %s of %s, %s\n", count(len(r.Columns)+1, "column"), out,
				count(len(r.Rows), "image"), shape(set.Height, set.Width, set.Channels), oneLine(r.Augment))
		})
	})
	return c
}

// allTransformations is the list of all there are at their default strengths.
func allTransformations() (augment.Pipeline, error) {
	var names []string
	for _, k := range augment.Transformations() {
		names = append(names, k.Name)
	}
	return augment.Parse(strings.Join(names, ","))
}

// augmentSheet is a sheet in the making.
type augmentSheet struct {
	pipeline augment.Pipeline
	heads    []string
	pictures [][]report.Image
	columns  []augmentColumn
	rows     []augmentedImage
}

// newAugmentSheet applies each transformation of p to some images of a set.
// Those chosen are followed by all of them together; of those that were not
// chosen, the ones that change no image are left out.
func newAugmentSheet(set *data.Set, p augment.Pipeline, chosen bool, seed uint64, images int) *augmentSheet {
	s := &augmentSheet{pipeline: p, heads: []string{"original"}, pictures: make([][]report.Image, images)}
	for i := range images {
		at := i * set.Len() / images
		s.rows = append(s.rows, augmentedImage{Name: set.Names[at], Index: at})
		s.pictures[i] = []report.Image{{H: set.Height, W: set.Width, C: set.Channels, Pix: set.Image(at)}}
	}
	var kept []string
	each := p.Each()
	for k := range each {
		alone, _, _ := strings.Cut(each[k].String(), ",") // without the border
		if s.column(set, &each[k], strings.Replace(alone, "=", "\n", 1), seed, !chosen) {
			kept = append(kept, each[k].String())
		}
	}
	if !chosen {
		// The strengths come back from the text exactly, and with them the draws.
		if few, err := augment.Parse(strings.Join(kept, ",")); err == nil {
			s.pipeline = few
		}
		s.mixed(set, "mixup", augment.Mixer{Mixup: shownMix}, seed)
		s.mixed(set, "cutmix", augment.Mixer{Cutmix: shownMix}, seed)
	} else if len(each) > 1 {
		s.column(set, &s.pipeline, "together", seed, false)
	}
	for i := range s.rows {
		s.rows[i].Drawn = s.pipeline.Draw(set.Height, set.Width, seed, 0, s.rows[i].Index)
	}
	return s
}

// column adds what a pipeline makes of the images, unless it is to be left out
// where it changes none, and reports whether it did.
func (s *augmentSheet) column(set *data.Set, p *augment.Pipeline, head string, seed uint64, skipSame bool) bool {
	var worker augment.Worker
	made := make([]uint8, 0, len(s.rows)*set.ImageBytes())
	for _, row := range s.rows {
		pix := make([]uint8, set.ImageBytes())
		worker.Apply(p, pix, set.Image(row.Index), set.Height, set.Width, set.Channels, seed, 0, row.Index)
		made = append(made, pix...)
	}
	return s.add(set, p.String(), head, made, skipSame)
}

// mixed adds what a mixer makes of the images, of which there must be two, as the
// batch that they are.
func (s *augmentSheet) mixed(set *data.Set, name string, m augment.Mixer, seed uint64) {
	var made []uint8
	for _, row := range s.rows {
		made = append(made, set.Image(row.Index)...)
	}
	share := m.Apply(made, make([]int32, len(s.rows)), set.Height, set.Width, set.Channels, seed, 0, 0)
	s.add(set, name, fmt.Sprintf("%s\n%.2f its own", name, share), made, true)
}

// add adds a column of images.
func (s *augmentSheet) add(set *data.Set, augment, head string, images []uint8, skipSame bool) bool {
	d := set.ImageBytes()
	column := augmentColumn{Augment: augment}
	for i, row := range s.rows {
		if !bytes.Equal(images[i*d:(i+1)*d], set.Image(row.Index)) {
			column.Changed++
		}
	}
	if skipSame && column.Changed == 0 {
		return false
	}
	s.heads, s.columns = append(s.heads, head), append(s.columns, column)
	for i := range s.rows {
		s.pictures[i] = append(s.pictures[i], report.Image{H: set.Height, W: set.Width, C: set.Channels, Pix: images[i*d : (i+1)*d]})
	}
	return true
}
