package dataset

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
)

// photoInfo is what a photograph's header says of it.
type photoInfo struct {
	kind string // JPEG or PNG
	image.Config
	memory int64 // bytes that its decoder takes, of a well-formed file
}

// jpegMemory returns the bytes that image/jpeg takes for a picture, of which head is the file up to the first scan or further: a byte for
// each sample, four more until the last scan of a progressive picture, and four for each pixel where it ends as RGB or CMYK.
func jpegMemory(head []byte, c image.Config) int64 {
	size := int64(c.Width) * int64(c.Height)
	frame, progressive := jpegFrame(head)
	if len(frame) < 6 || len(frame) < 6+3*int(frame[5]) {
		return 24 * size // more than there can be: the decoder takes it for a header, and this does not
	}
	h, v, samples := int64(1), int64(1), int64(1) // of a grey picture, whatever it says
	if n := int(frame[5]); n > 1 {
		samples = 0
		for i := range n {
			factors := frame[7+3*i]
			samples += int64(factors>>4) * int64(factors&15)
		}
		h, v = int64(frame[7]>>4), int64(frame[7]&15) // the first component has the most
	}
	whole := func(n, unit int64) int64 { return (n + unit - 1) / unit * unit }
	memory := whole(int64(c.Width), 8*h) * whole(int64(c.Height), 8*v) / (h * v) * samples
	if progressive {
		memory *= 5
	}
	// It ends as RGB where an Adobe marker (APP14) says so, which may come late. Among coefficients there are no such two bytes.
	if c.ColorModel == color.RGBAModel || c.ColorModel == color.CMYKModel || c.ColorModel == color.YCbCrModel && bytes.Contains(head, []byte("\xff\xee")) {
		memory += 4 * size
	}
	return memory
}

// jpegFrame returns the content of a JPEG file's frame header, after its length, and whether it is of a progressive picture; nil where
// there is none.
func jpegFrame(head []byte) (frame []byte, progressive bool) {
	for i := 2; i+4 <= len(head); {
		marker := head[i+1]
		switch {
		case head[i] != 0xff || marker == 0xff:
			i++
			continue
		case marker == 0 || 0xd0 <= marker && marker <= 0xd7:
			i += 2
			continue
		}
		end := i + 2 + int(binary.BigEndian.Uint16(head[i+2:]))
		if 0xc0 <= marker && marker <= 0xc2 {
			return head[i+4 : max(i+4, min(end, len(head)))], marker == 0xc2
		}
		i = end
	}
	return nil, false
}

// pngMemory returns the bytes that image/png takes for a picture, of which head is the file up to its palette.
func pngMemory(head []byte, c image.Config) int64 {
	bytes := int64(4) // also of grey ones, where a grey level is transparent
	switch c.ColorModel {
	case color.Gray16Model, color.RGBA64Model, color.NRGBA64Model:
		bytes = 8
	}
	if _, ok := c.ColorModel.(color.Palette); ok {
		bytes = 1
	}
	memory := bytes * int64(c.Width) * int64(c.Height)
	const interlace = 28 // where the header says so
	if len(head) > interlace && head[interlace] != 0 {
		memory *= 2 // the passes beside the picture
	}
	return memory
}
