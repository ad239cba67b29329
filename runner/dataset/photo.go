package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"sync"
)

// The limits of a photograph: it is refused by what its header says, before anything is decoded. A camera's picture of 200 megapixels is
// within them.
const (
	MaxPhotoPixels = 16384 * 12288
	MaxPhotoSide   = 1 << 15
	MaxPhotoMemory = 640 << 20 // bytes that its decoder takes
	MaxPhotoBytes  = 1 << 28
)

// largePhoto is the memory from which photographs are decoded one at a time.
const largePhoto = 1 << 26

// preparation is what is done with every photograph.
type preparation struct {
	resize, crop int
	squash       bool
	filter       filter
	values       [3][256]float32 // what a byte of each channel becomes
}

// photoDefaults are the preprocessing with which torchvision's and timm's nets are tested on ImageNet.
var photoDefaults = struct {
	crop      int
	mean, dev [3]float64
}{224, [3]float64{0.485, 0.456, 0.406}, [3]float64{0.229, 0.224, 0.225}}

// photoSizes are Resize and Crop with their defaults filled in.
func (s Source) photoSizes() (resize, crop int) {
	resize, crop = s.Resize, s.Crop
	if crop == 0 {
		crop = photoDefaults.crop
	}
	if resize == 0 {
		resize = int(math.Round(float64(crop) * 8 / 7))
	}
	return resize, crop
}

// preparation is what s, which passes Check, asks for.
func (s Source) preparation() preparation {
	p := preparation{squash: s.Squash, filter: filters[Bilinear]}
	p.resize, p.crop = s.photoSizes()
	if s.Interpolation != "" {
		p.filter = filters[s.Interpolation]
	}
	mean, dev := s.Mean, s.Dev
	if mean == nil {
		mean = photoDefaults.mean[:]
	}
	if dev == nil {
		dev = photoDefaults.dev[:]
	}
	for c := range p.values {
		for x := range p.values[c] {
			v := float32(x) / 255
			v -= float32(mean[c])
			v /= float32(dev[c])
			p.values[c][x] = v
		}
	}
	return p
}

// checkPhotos reports what is wrong with s's preprocessing of photographs.
func (s Source) checkPhotos() []error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if s.Images == "" {
		if s.Resize != 0 || s.Crop != 0 || s.Squash || s.Interpolation != "" || s.Mean != nil || s.Dev != nil || s.PerClass != 0 {
			bad("%s: resize, crop, squash, interpolation, mean, dev and per_class are for a folder of photographs", s.label())
		}
		return errs
	}
	if s.Target != "" || s.LabelsNPY != "" || s.NoHeader || s.Missing != nil || s.Categorical != "" || len(s.Drop) > 0 ||
		s.Shift != 0 || s.Scale != 0 && s.Scale != 1 || s.Standardize || s.Float32 {
		bad("%s: of the settings of tables (target, labels, header, missing, categorical, drop, shift, scale, standardize, float32) none is for a folder of photographs", s.Images)
	}
	const largest = 4096
	if s.Crop < 0 || s.Crop > largest {
		bad("%s: crop is %d; accepted: 1 to %d pixels", s.Images, s.Crop, largest)
	}
	if s.Resize < 0 || s.Resize > largest {
		bad("%s: resize is %d; accepted: 1 to %d pixels", s.Images, s.Resize, largest)
	}
	if resize, crop := s.photoSizes(); len(errs) == 0 && !s.Squash && resize < crop {
		bad("%s: resize is %d and crop is %d; accepted: a crop no larger than the resized picture's shorter side", s.Images, resize, crop)
	}
	if s.Squash && s.Resize != 0 {
		bad("%s: resize is %d and squash is on, which resizes to crop×crop; give one of them", s.Images, s.Resize)
	}
	if _, ok := filters[s.Interpolation]; !ok && s.Interpolation != "" {
		bad("%s: interpolation is %q; accepted: %q, %q", s.Images, s.Interpolation, Bilinear, Bicubic)
	}
	for _, l := range []struct {
		name   string
		values []float64
		ok     func(float64) bool
		want   string
	}{
		{"mean", s.Mean, finite, "finite numbers"},
		{"dev", s.Dev, func(x float64) bool { return finite(x) && float32(x) > 0 }, "positive numbers"},
	} {
		if l.values == nil {
			continue
		}
		if len(l.values) != 3 {
			bad("%s: %s has %d numbers; accepted: 3, of red, green and blue in units in which white is 1", s.Images, l.name, len(l.values))
		}
		for _, x := range l.values {
			if !l.ok(x) {
				bad("%s: %s has %v; accepted: %s", s.Images, l.name, x, l.want)
			}
		}
	}
	if s.PerClass < 0 {
		bad("%s: per_class is %d; accepted: 1 or more images of each class (without it: all)", s.Images, s.PerClass)
	}
	return errs
}

// read decodes a photograph and writes it, prepared, to dst: 3×crop×crop. It holds large meanwhile if the photograph is large. Errors do not
// name the file.
func (p preparation) read(dst []float32, data []byte, large sync.Locker) error {
	info, err := photoHeader(bytes.NewReader(data))
	if err != nil {
		return err
	}
	if info.memory >= largePhoto {
		large.Lock()
		defer large.Unlock()
	}
	decoded, err := decodePhoto(info, data)
	if err != nil {
		return err
	}
	width, height, w := p.geometry(decoded.width, decoded.height)
	m := decoded.resize(p.filter, width, height, w)
	plane := p.crop * p.crop
	for c := range p.values {
		value, out := &p.values[c], dst[c*plane:][:plane]
		for j := range out {
			out[j] = value[m.pix[3*j+c]]
		}
	}
	return nil
}

// geometry is the size to which a picture of width×height is resized, and the part that is kept of it: the shorter side becomes
// resize pixels and the longer one is cut down to whole pixels; the middle is kept, and where it falls between two pixels, the
// even number of the two is left out before it. This is torchvision's arithmetic.
func (p preparation) geometry(width, height int) (toWidth, toHeight int, w window) {
	if p.squash {
		return p.crop, p.crop, window{0, 0, p.crop, p.crop}
	}
	toWidth, toHeight = p.resize, p.resize
	if width < height {
		toHeight = int(float64(p.resize*height) / float64(width))
	} else {
		toWidth = int(float64(p.resize*width) / float64(height))
	}
	middle := func(n int) int { return int(math.RoundToEven(float64(n-p.crop) / 2)) }
	return toWidth, toHeight, window{middle(toWidth), middle(toHeight), p.crop, p.crop}
}

// photoHeader looks at a photograph's header alone: whether it is one, and not larger than accepted. Errors do not name the file.
func photoHeader(r io.Reader) (info photoInfo, err error) {
	var start [8]byte
	n, err := io.ReadFull(r, start[:])
	if n == 0 && err == io.EOF {
		return info, errors.New("the file is empty; accepted: a JPEG or PNG picture")
	}
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return info, cause(err)
	}
	var head bytes.Buffer
	whole := io.TeeReader(io.MultiReader(bytes.NewReader(start[:n]), r), &head)
	switch {
	case bytes.HasPrefix(start[:n], []byte("\xff\xd8")):
		info.kind = "JPEG"
		if info.Config, err = jpeg.DecodeConfig(whole); err == nil {
			info.memory = jpegMemory(head.Bytes(), info.Config)
		}
	case bytes.Equal(start[:n], []byte("\x89PNG\r\n\x1a\n")):
		info.kind = "PNG"
		if info.Config, err = png.DecodeConfig(whole); err == nil {
			info.memory = pngMemory(head.Bytes(), info.Config)
		}
	default:
		looks := "the file is no picture"
		switch {
		case n == len(start) && (string(start[:4]) == "GIF8" || string(start[:4]) == "RIFF" || string(start[:2]) == "BM"):
			looks = "the file is a picture in another format"
		case n >= sniffed && sniff(start[:sniffed]) != "":
			looks = sniff(start[:sniffed])
		}
		return info, fmt.Errorf("it begins with %q: %s; accepted: a JPEG or PNG picture", start[:min(n, 4)], looks)
	}
	if err != nil {
		return info, badPhoto(info.kind, err)
	}
	return info, info.check()
}

// check refuses pictures that are too large. Width and height are at most 2³¹, so that their product is an int64.
func (i photoInfo) check() error {
	switch {
	case i.Width < 1 || i.Height < 1 || int64(i.Width)*int64(i.Height) > MaxPhotoPixels:
		return fmt.Errorf("the picture has %d×%d pixels; accepted: 1 to %d in all", i.Width, i.Height, MaxPhotoPixels)
	case max(i.Width, i.Height) > MaxPhotoSide:
		return fmt.Errorf("the picture has %d×%d pixels; accepted: sides of at most %d", i.Width, i.Height, MaxPhotoSide)
	case i.memory > MaxPhotoMemory:
		return fmt.Errorf("the %s picture of %d×%d pixels takes %d bytes to decode; accepted: at most %d; save it with fewer pixels, or as a baseline JPEG", i.kind, i.Width, i.Height, i.memory, MaxPhotoMemory)
	}
	return nil
}

// badPhoto is the error of a picture that cannot be decoded.
func badPhoto(kind string, err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("the %s picture ends early: the file is truncated", kind)
	}
	return fmt.Errorf("the %s picture cannot be decoded: %w", kind, cause(err))
}

// decodePhoto decodes a JPEG or PNG file with the given header. Its EXIF orientation is ignored, as Pillow does unless it is told otherwise, and
// so are colour profiles and gamma.
func decodePhoto(info photoInfo, data []byte) (*picture, error) {
	decode := png.Decode
	if info.kind == "JPEG" {
		decode = jpeg.Decode
		info.memory = jpegMemory(data, info.Config) // what markers behind the header add
		if err := info.check(); err != nil {
			return nil, err
		}
	}
	m, err := decode(bytes.NewReader(data))
	if err != nil {
		if info.kind == "JPEG" && !bytes.HasSuffix(data, []byte("\xff\xd9")) { // no end of image: what the decoder says is a consequence
			err = io.ErrUnexpectedEOF
		}
		return nil, badPhoto(info.kind, err)
	}
	return pictureOf(m), nil
}

// pictureOf takes the colours of a picture: grey becomes three equal channels, transparency is dropped without blending, of 16 bits the
// upper 8 remain.
func pictureOf(m image.Image) *picture {
	if m, ok := m.(*image.YCbCr); ok {
		return pictureOfJPEG(m)
	}
	b := m.Bounds()
	each := func(at func(x, y int) (r, g, b byte)) *picture {
		return &picture{b.Dx(), b.Dy(), func(y int, out []byte) {
			for x := range b.Dx() {
				p := out[3*x:][:3]
				p[0], p[1], p[2] = at(b.Min.X+x, b.Min.Y+y)
			}
		}}
	}
	switch m := m.(type) {
	case *image.Gray:
		return each(func(x, y int) (r, g, b byte) {
			v := m.GrayAt(x, y).Y
			return v, v, v
		})
	case *image.CMYK:
		return each(func(x, y int) (r, g, b byte) {
			v := m.CMYKAt(x, y)
			return color.CMYKToRGB(v.C, v.M, v.Y, v.K)
		})
	case *image.RGBA: // of a PNG: opaque
		return each(func(x, y int) (r, g, b byte) {
			v := m.RGBAAt(x, y)
			return v.R, v.G, v.B
		})
	case *image.NRGBA:
		return each(func(x, y int) (r, g, b byte) {
			v := m.NRGBAAt(x, y)
			return v.R, v.G, v.B
		})
	case *image.NRGBA64:
		return each(func(x, y int) (r, g, b byte) {
			v := m.NRGBA64At(x, y)
			return byte(v.R >> 8), byte(v.G >> 8), byte(v.B >> 8)
		})
	}
	return each(func(x, y int) (r, g, b byte) {
		v := color.NRGBAModel.Convert(m.At(x, y)).(color.NRGBA)
		return v.R, v.G, v.B
	})
}
