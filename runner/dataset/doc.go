// Package dataset reads data sets and forms from them the two tasks of an immunization problem.
//
// A [Source] names a data set and its preprocessing, a [Ref] one side of a problem: a source, the kind of task, a class and a
// number of rows. The road is
//
//	Source --Load--> Set (all rows, X and raw targets) --Form--> two Tasks (n rows each, equal columns)
//
// and [Pair] walks it at once. The data set "synthetic" has no Source to load: [Synthetic] draws both tasks together. Nets are
// trained on images, of all classes and with a part to test on:
//
//	Source --LoadImages--> ImageTask (Train and Test, read batch by batch)
//
// Files come from an [io/fs.FS] that the caller opens, with slash-separated paths inside it: which folders may be read, and
// what happens to symbolic links, is the caller's business ([os.Root] is a good answer). A path that ends in ".gz" is
// decompressed while it is read. The digest of a file is the SHA-256 of its uncompressed bytes, so that recompressing a file
// does not change it.
//
// # Data sets known by name
//
// Some are in the binary or drawn; the others are files that others publish, kept in a data folder with one folder for each:
// MNIST and Fashion-MNIST (IDX), CIFAR-10 (its binary version), House Prices (CSV). [Published] is the table of their files, and
// a file system that is a [Library] says where the data folder is. They are read as they are or compressed with ".gz" after
// their names, and bring their preprocessing with them. Reading checks sizes and shapes; a file that is readable and not the
// published one gives a warning.
//
// # Folders of photographs
//
// A Source may be a folder of JPEG and PNG pictures, a folder for each class; [Source] says how it is laid out and what becomes of a
// picture. Pillow and torchvision make the same of a PNG to the bit; of a JPEG, whose decoding the standard leaves partly open, the
// same within a level or two of 255. What is wrong with a header (no picture, no pixels, too many) is found when the folder is
// digested, what is wrong with the rest when the picture is decoded; both name the file. EXIF orientation is ignored, as Pillow does.
// A folder's digest is taken in one pass over all its pictures, which for all of ImageNet takes as long as reading it.
//
// # Preprocessing
//
// The steps come in this order, over all rows of the data set: missing cells are filled, text columns are numbered, columns
// are dropped and the target is set apart, x becomes (x − Shift)/Scale, columns are standardised to mean 0 and standard
// deviation 1 (n−1 in the denominator), numbers are rounded to float32. Only then are the first n rows of a task taken.
// Targets of a regression are standardised and rounded like the columns; class labels are left as they are.
//
// # Limits
//
// A matrix holds at most [MaxValues] numbers, a file at most [MaxFileBytes] uncompressed bytes, one CSV record at most
// [MaxRecordBytes], one text column at most [MaxCategories] different texts, all of them at most [MaxTextBytes], a data set at
// most [MaxColumns] features. A CSV file is streamed two or three times instead of being held in memory. What the header of a .npy
// or IDX file promises is checked against the file's size before anything is allocated; where the size is not known, memory grows
// with what is read. Images stay bytes until a task takes its rows. A photograph has at most [MaxPhotoPixels] pixels, by its header,
// sides of at most [MaxPhotoSide], and [MaxPhotoBytes] bytes, and takes at most [MaxPhotoMemory] to decode; a folder [MaxPhotos] of them in [MaxClasses] classes.
//
// # What this package does not do
//
// It fetches nothing from a network, reads no clock, environment or global random source, keeps no cache, and knows nothing of
// specs, methods or databases. Each file format has its own file (csv.go, npy.go, idx.go, cifar.go, digits.go, folder.go); a new format is one
// more, with a line in the table of formats or of names in formats.go.
package dataset
