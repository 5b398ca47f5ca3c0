// Package data turns a source of images into one block of decoded pixels in
// memory, splits it, and deals it out in batches.
//
// # Sources
//
// A source is a folder (read recursively), an image file, an archive (.zip,
// .tar, .tar.gz, .tgz, .tar.zst), a file of the MNIST family (IDX, also
// gzipped), CIFAR-10 or CIFAR-100 in binary form (.bin, a folder of them, or
// the .tar.gz they come in), an array (.npy), a list of images (.csv), or the
// name of a built-in set (see Builtins). What a file is follows from its first bytes, not from its
// name. Images are JPEG, PNG, GIF (the first frame), BMP, TIFF and WebP.
//
// # What is made of an image
//
// An image is turned the way its EXIF orientation says (that of a PNG, if it stands
// before the pixels). Transparent pixels are laid over white, 16-bit samples keep their
// high byte, CMYK and palettes become RGB. Where the wanted size differs, the largest centred rectangle of
// the wanted proportions is resampled by a Catmull-Rom kernel whose support
// grows with the reduction, so that shrinking averages over the covered area;
// this is the same as scaling the shorter side and cropping the centre.
//
// If every image of a source is stored as grey, the set has one channel,
// otherwise three.
//
// # Labels and parts
//
// Where every image lies in a sub-folder, the folder just above it is its
// class; two folders of one name in different places are two classes, named by
// their paths. Folders that all images share do not count. A train, val or test
// folder above the classes says which part an image is in. IDX and CIFAR files
// bring their labels, and their names say the part.
//
// A list, a file that ends in .csv, has a row path,label for each image, and
// perhaps a third column with its part: train, val or test. Paths are relative to
// the list. A first row that names the columns (path, file, image or the like) is
// passed over. Files that are missing are skipped, as broken ones are.
//
// # Pairs
//
// OpenPairs reads a folder of images and of labels that say the class of every
// pixel, and keeps the two in step.
//
// # What is skipped
//
// A file that is broken, too large or not what its name says is counted, named
// in Set.Skipped with its reason, and left out. Files that do not claim to be
// images are ignored, and so are archives inside archives, hidden files and
// __MACOSX folders. No file of an archive is ever unpacked to disk (what is
// decoded is cached, see [Options]): its names only serve as labels, and those that
// lead out of it are skipped.
//
// # Order
//
// Images are ordered by name, byte by byte. Neither the order of files in an
// archive nor the number of threads has an influence on the result.
package data
