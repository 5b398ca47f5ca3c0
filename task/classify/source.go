package classify

import (
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"hourglass/data"
	"hourglass/train/run"
)

// someOf writes the first names of a list.
func someOf(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// checkClasses reports a set whose labels cannot be learnt or judged by.
func checkClasses(source string, set *data.Set, parts run.Parts) error {
	if err := checkFolders(source, set); err != nil {
		return err
	}
	if len(set.Classes) < 2 {
		what, hint := "no labels", ""
		if len(set.Classes) == 1 {
			what = "only one class, " + set.Classes[0]
		} else if set.Parts != nil {
			hint = "; its folders train, val or test were taken for parts of it: give one that is a class another name"
		}
		return fmt.Errorf("%s has %s: telling classes apart takes at least two, as sub-folders of images, or as labels in an IDX, CIFAR or CSV file%s", source, what, hint)
	}
	count := func(images []int) []int {
		n := make([]int, len(set.Classes))
		for _, i := range images {
			n[set.Labels[i]]++
		}
		return n
	}
	learnt, chosen, held := count(parts.Train), count(parts.Validation), count(parts.HeldOut)
	var onlyHeld, onlyChosen, onlyLearnt []string
	for i, class := range set.Classes {
		switch {
		case learnt[i] == 0 && held[i] > 0:
			onlyHeld = append(onlyHeld, class)
		case learnt[i] == 0 && chosen[i] > 0:
			onlyChosen = append(onlyChosen, class)
		case held[i] == 0 && learnt[i] > 0:
			onlyLearnt = append(onlyLearnt, class)
		}
	}
	divided := heldAsTold(set.Parts, parts)
	switch {
	case divided && len(onlyHeld) > 0:
		return fmt.Errorf("the labels of %s differ between its parts: the test part has %s, which the train part lacks: give both the same classes", source, someOf(onlyHeld))
	case divided && len(onlyChosen) > 0:
		return fmt.Errorf("the labels of %s differ between its parts: the val part has %s, which the train part lacks: give both the same classes", source, someOf(onlyChosen))
	case divided && len(onlyLearnt) > 0:
		return fmt.Errorf("the labels of %s differ between its parts: the train part has %s, which the test part lacks: give both the same classes", source, someOf(onlyLearnt))
	case len(onlyHeld)+len(onlyChosen) > 0:
		return fmt.Errorf("%s has too few images of %s: all of them were put aside to judge or to choose by; give it at least a handful", source, someOf(slices.Concat(onlyHeld, onlyChosen)))
	case len(parts.Train) < 2:
		return fmt.Errorf("%s has %d usable images: learning takes at least 3, two to learn from and one to judge by", source, set.Len())
	}
	return nil
}

// heldAsTold reports whether images are held out as the parts of their set say, and not
// at random for want of one to learn from or to judge by.
func heldAsTold(of []data.Part, p run.Parts) bool {
	tolearn := func(images []int) bool {
		return of[images[0]] == data.PartTrain || of[images[0]] == data.PartNone
	}
	return of != nil && len(p.Train) > 0 && tolearn(p.Train) && !tolearn(p.HeldOut)
}

// Match returns a set with its labels in the order of the model's classes. It
// fails for a set without labels, or with classes that the model does not
// know.
func (m *Model) Match(set *data.Set) (*data.Set, error) {
	if set.Labels == nil {
		return nil, fmt.Errorf("it has no labels: give a folder whose sub-folders are the classes, or an IDX, CIFAR or CSV file")
	}
	to := make([]int32, len(set.Classes))
	var unknown []string
	for i, class := range set.Classes {
		to[i] = int32(slices.Index(m.config.Classes, class))
		if to[i] < 0 {
			unknown = append(unknown, class)
		}
	}
	if len(unknown) > 0 {
		return nil, fmt.Errorf("its labels differ from the model's: it has %s, and the model knows %s", someOf(unknown), someOf(m.config.Classes))
	}
	matched := *set
	matched.Classes = m.config.Classes
	matched.Labels = make([]int32, len(set.Labels))
	for i, l := range set.Labels {
		matched.Labels[i] = to[l]
	}
	return &matched, nil
}

// checkFolders reports a class folder of which no image can be used: left
// alone, the class would silently be missing.
func checkFolders(source string, set *data.Set) error {
	if set.Labels == nil {
		return nil
	}
	used, parents := map[string]bool{}, map[string]bool{}
	for _, name := range set.Names {
		dir := path.Dir(name)
		if used[dir] || dir == "." { // images of array files lie in no folder
			continue
		}
		parents[path.Dir(dir)] = true
		for ; dir != "." && dir != "/" && !used[dir]; dir = path.Dir(dir) {
			used[dir] = true
		}
	}
	if info, err := os.Stat(source); err == nil && info.Mode().IsRegular() && strings.EqualFold(filepath.Ext(source), ".csv") {
		return nil // its classes are labels, not folders
	}
	for _, s := range set.Skipped {
		dir := path.Dir(s.Name)
		if dir == "." || used[dir] || !parents[path.Dir(dir)] {
			continue
		}
		return fmt.Errorf("no image of the class folder %s of %s can be read: %s: %s: mend its images, or take the folder away",
			dir, source, path.Base(s.Name), s.Reason)
	}
	// Folders without any file that claims to be an image leave no trace in
	// the set.
	for _, parent := range slices.Sorted(maps.Keys(parents)) {
		entries, err := os.ReadDir(filepath.Join(source, filepath.FromSlash(parent)))
		if err != nil {
			continue // an archive, or a folder that has gone meanwhile
		}
		for _, e := range entries {
			dir := path.Join(parent, data.Printable(e.Name()))
			if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && e.Name() != "__MACOSX" && !used[dir] {
				return fmt.Errorf("the class folder %s of %s holds no image: put some there, or take the folder away", dir, source)
			}
		}
	}
	return nil
}
