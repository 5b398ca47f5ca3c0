package data

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"
)

// partNamed returns the part that a folder's name stands for.
func partNamed(folder string) Part {
	switch strings.ToLower(folder) {
	case "train", "training":
		return PartTrain
	case "val", "valid", "validation":
		return PartVal
	case "test", "testing":
		return PartTest
	}
	return PartNone
}

// labelNames reads labels and parts off the paths of images.
//
// Folders that all images share are passed over, as far as a train, val or
// test folder. A folder of such a name that comes next says the part. If every
// image lies in a folder below that, and there are at least two such folders,
// each is a class. A class is named after its last folder, or, where two
// folders share that name (alphabets with a "character01" each, say), after
// its path.
func labelNames(names []string) (labels []int32, classes []string, parts []Part) {
	dirs := make([][]string, len(names)) // the folders of each image
	for i, name := range names {
		if d := path.Dir(name); d != "." {
			dirs[i] = strings.Split(d, "/")
		}
	}
	shared := 0
	for len(dirs) > 0 && len(dirs[0]) > shared {
		folder := dirs[0][shared]
		if partNamed(folder) != PartNone || slices.ContainsFunc(dirs, func(d []string) bool {
			return len(d) <= shared || d[shared] != folder
		}) {
			break
		}
		shared++
	}

	parts = make([]Part, len(names))
	keys := make([]string, len(names)) // path of the class folder
	labelled, divided := true, false
	for i, d := range dirs {
		d = d[shared:]
		if len(d) > 0 {
			if p := partNamed(d[0]); p != PartNone {
				parts[i], divided = p, true
				d = d[1:]
			}
		}
		if len(d) == 0 {
			labelled = false
		}
		keys[i] = strings.Join(d, "/")
	}
	if !divided {
		parts = nil
	}
	if !labelled {
		return nil, nil, parts
	}

	folders := map[string]string{} // key to name
	users := map[string]int{}      // name to the number of keys that end in it
	for _, key := range keys {
		if _, ok := folders[key]; !ok {
			folders[key] = path.Base(key)
			users[path.Base(key)]++
		}
	}
	if len(folders) < 2 {
		return nil, nil, parts
	}
	for key, name := range folders {
		if users[name] > 1 {
			folders[key] = key
		}
	}
	order := slices.SortedFunc(maps.Keys(folders), func(a, b string) int {
		return cmp.Or(cmp.Compare(folders[a], folders[b]), cmp.Compare(a, b))
	})
	index := make(map[string]int32, len(order))
	for i, key := range order {
		index[key] = int32(i)
		classes = append(classes, folders[key])
	}
	labels = make([]int32, len(names))
	for i, key := range keys {
		labels[i] = index[key]
	}
	return labels, classes, parts
}
