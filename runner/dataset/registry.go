package dataset

import (
	"path"
	"slices"
)

// Publication is a data set that others publish and that is kept in the data folder: which files it consists of, how to know
// them, and where they are published.
type Publication struct {
	Name    string
	Source  string // who made it, where it is described
	Licence string
	Files   []File
	// Archive is the one file in which all Files are published together; nil if each is published by itself.
	Archive *Archive
	// Mirrors are the addresses of the folders that hold what is published, in the order in which they are tried, each with a
	// slash at its end. The name of a file there is [File.Remote], of the archive [Archive.Name].
	Mirrors []string
}

// Bytes is the size of all files, uncompressed.
func (p Publication) Bytes() int64 {
	n := int64(0)
	for _, f := range p.Files {
		n += f.Bytes
	}
	return n
}

// File is one file of a [Publication], known by its uncompressed content: compressed copies of it may differ.
type File struct {
	Path   string // in the data folder, with slashes, without ".gz"
	Bytes  int64  // uncompressed
	SHA256 string // of the uncompressed content, 64 hex digits; "" where only its MD5 is published
	MD5    string // likewise, 32 hex digits; "" where SHA256 is given
	Gzip   bool   // published as Path + ".gz", and then kept so; plain copies do as well
}

// Remote is the name under which f is published.
func (f File) Remote() string {
	if f.Gzip {
		return path.Base(f.Path) + ".gz"
	}
	return path.Base(f.Path)
}

// Places are the paths in the data folder under which f may lie, in the order in which they are looked for. The one that ends
// in ".gz" is compressed.
func (f File) Places() []string { return []string{f.Path, f.Path + ".gz"} }

// Archive is a compressed tape archive (.tar.gz) of all files of a [Publication].
type Archive struct {
	Name   string
	Bytes  int64  // as published
	SHA256 string // as published, 64 hex digits
	Folder string // in the archive, of the files
}

// Published lists the data sets that can be fetched.
func Published() []Publication {
	return []Publication{
		{
			Name:    "mnist",
			Source:  "Y. LeCun, C. Cortes and C. J. C. Burges, The MNIST database of handwritten digits, 1998",
			Licence: "CC BY-SA 3.0",
			Files: images("mnist",
				"ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
				"65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
				"0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
				"ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
			Mirrors: []string{
				"https://ossci-datasets.s3.amazonaws.com/mnist/",
				"https://storage.googleapis.com/cvdf-datasets/mnist/",
			},
		},
		{
			Name:    "fashion-mnist",
			Source:  "H. Xiao, K. Rasul and R. Vollgraf, Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms, 2017, arXiv:1708.07747",
			Licence: "MIT",
			Files: images("fashion-mnist",
				"c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
				"bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
				"5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
				"0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
			Mirrors: []string{
				"https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
				"https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
				"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/", // a kind of address that has no TLS
			},
		},
		{
			Name:    "house-prices",
			Source:  "D. De Cock's Ames housing data (Journal of Statistics Education 19(3), 2011) as the Kaggle competition \"House Prices\" gives them, split by A. Y. Zheng, C. Bai, B. Bullins and R. A. Yeh: D1 holds the zones other than RL, D2 zone RL",
			Licence: "see the rules of the Kaggle competition \"House Prices\"",
			Files: []File{
				{Path: "house-prices/D1.csv", Bytes: 96551, SHA256: "3ca4cd2207dc5321266228639a4a55ea6870c45fb637b46fc7783b4bb484da34"},
				{Path: "house-prices/D2.csv", Bytes: 359114, SHA256: "c2026a8ea44c8e4a7f32b1f604c4c4ff596759352303b091c7d0c73bedbfed45"},
			},
			Mirrors: []string{
				"https://raw.githubusercontent.com/amberyzheng/model-immunization-cond-num/b749964785b07b66180afb4a929099d34c09b861/data/house_price/",
				"https://cdn.jsdelivr.net/gh/amberyzheng/model-immunization-cond-num@b749964785b07b66180afb4a929099d34c09b861/data/house_price/",
				"https://github.com/amberyzheng/model-immunization-cond-num/raw/b749964785b07b66180afb4a929099d34c09b861/data/house_price/",
			},
		},
		{
			Name:    "cifar-10",
			Source:  "A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009; its binary version",
			Licence: "not stated",
			Files: []File{
				{Path: "cifar-10/data_batch_1.bin", Bytes: cifarBatchBytes, MD5: "5dd7e06a14cb22eb9f671a540d1b7c25"},
				{Path: "cifar-10/data_batch_2.bin", Bytes: cifarBatchBytes, MD5: "5ea93a67294ea407fff1d09f752e9692"},
				{Path: "cifar-10/data_batch_3.bin", Bytes: cifarBatchBytes, MD5: "942cd6a4bcdd0dd3c604fbe906cb4421"},
				{Path: "cifar-10/data_batch_4.bin", Bytes: cifarBatchBytes, MD5: "ae636b3ba5c66a11e91e8cb52e771fcb"},
				{Path: "cifar-10/data_batch_5.bin", Bytes: cifarBatchBytes, MD5: "53f37980c15c3d472c316c40844f3f0d"},
				{Path: "cifar-10/test_batch.bin", Bytes: cifarBatchBytes, MD5: "803d5f7f4d78ea53de84dbe85f74fb6d"},
			},
			Archive: &Archive{
				Name: "cifar-10-binary.tar.gz", Bytes: 170052171, Folder: "cifar-10-batches-bin",
				SHA256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
			},
			Mirrors: []string{
				"https://www.cs.toronto.edu/~kriz/",
				"https://cave.cs.toronto.edu/kriz/",
				"https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/",
			},
		},
	}
}

// FindPublished returns the published data set of that name; false if there is none.
func FindPublished(name string) (Publication, bool) {
	all := Published()
	i := slices.IndexFunc(all, func(p Publication) bool { return p.Name == name })
	if i < 0 {
		return Publication{}, false
	}
	return all[i], true
}

// The sizes of the published files.
const (
	cifarBatchBytes = 10000 * (1 + 3*32*32) // a label and three planes of 32×32 pixels an image

	idxImagesHeader = 16 // bytes before the pixels of an IDX file of images
	idxLabelsHeader = 8  // bytes before the labels
)

// images are the four files of a data set in the form of MNIST: 60 000 images of 28×28 pixels to train on and 10 000 to test.
func images(folder, trainImages, trainLabels, testImages, testLabels string) []File {
	const pixels = 28 * 28
	return []File{
		{Path: folder + "/train-images-idx3-ubyte", Bytes: idxImagesHeader + 60000*pixels, SHA256: trainImages, Gzip: true},
		{Path: folder + "/train-labels-idx1-ubyte", Bytes: idxLabelsHeader + 60000, SHA256: trainLabels, Gzip: true},
		{Path: folder + "/t10k-images-idx3-ubyte", Bytes: idxImagesHeader + 10000*pixels, SHA256: testImages, Gzip: true},
		{Path: folder + "/t10k-labels-idx1-ubyte", Bytes: idxLabelsHeader + 10000, SHA256: testLabels, Gzip: true},
	}
}
