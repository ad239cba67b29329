package runner

import (
	"kappa/experiments"
	"kappa/runner/dataset"
)

// photoKeys are the keys of a folder of photographs on one side ("primary.", "harmful.").
func photoKeys(side string) []experiments.Key {
	str, integer, numbers := []experiments.Type{experiments.String}, []experiments.Type{experiments.Int}, []experiments.Type{experiments.List}
	one, largest := new(1.0), new(4096.0)
	p := side + "dataset."
	return []experiments.Key{
		{Path: p + "images", Types: str, Doc: "A folder of photographs (.jpg, .jpeg, .png), relative to the spec's folder: train/CLASS/* and val/CLASS/* (or valid, or test), or CLASS/*, of which every fifth picture is then to test on."},
		{Path: p + "crop", Types: integer, Min: one, Max: largest, Default: int64(224), Unit: "pixels", Doc: "Side of the square that is taken from the middle of a resized photograph."},
		{Path: p + "squash", Types: []experiments.Type{experiments.Bool}, Default: false, Doc: "Resize a photograph to crop×crop whatever its shape, instead of keeping its proportions and cutting."},
		{Path: p + "resize", Types: integer, Min: one, Max: largest, Unit: "pixels", When: []experiments.Settings{{p + "squash": false}}, Doc: "Length that a photograph's shorter side is resized to. Default: 8/7 of crop."},
		{Path: p + "interpolation", Types: str, Enum: []string{dataset.Bilinear, dataset.Bicubic}, Default: dataset.Bilinear, Doc: "How photographs are resized, with antialiasing: as Pillow's BILINEAR or BICUBIC."},
		{Path: p + "mean", Types: numbers, Elem: experiments.Float, Doc: "What is subtracted from red, green and blue between 0 and 1. Default: ImageNet's means, [0.485, 0.456, 0.406]."},
		{Path: p + "dev", Types: numbers, Elem: experiments.Float, Min: new(0.0), Open: true, Doc: "What they are then divided by. Default: ImageNet's standard deviations, [0.229, 0.224, 0.225]."},
		{Path: p + "per_class", Types: integer, Min: one, Unit: "images", Doc: "The first so many photographs of each class, by name, in both parts; the others are neither read nor part of the digest. Default: all."},
	}
}

// photoDataset is the form { images = "FOLDER", … } of a data set.
func photoDataset() experiments.DatasetEntry {
	var uses []string
	for _, k := range photoKeys("") {
		uses = append(uses, k.Path)
	}
	return experiments.DatasetEntry{Entry: experiments.Entry{
		Name: "images", Doc: "Your own photographs, a folder for each class: dataset = { images = \"folder\" }.", Uses: sides(uses),
	}}
}

// photographs reads the settings of a folder of photographs into src.
func photographs(r reader, side string, src *dataset.Source) {
	p := side + ".dataset."
	if src.Images = r.str(p + "images"); src.Images == "" {
		return
	}
	src.Crop, src.Resize, src.Squash = r.integer(p+"crop"), r.integer(p+"resize"), r.boolean(p+"squash")
	src.Interpolation, src.PerClass = r.str(p+"interpolation"), r.integer(p+"per_class")
	src.Mean, src.Dev = r.numbers(p+"mean"), r.numbers(p+"dev")
}
