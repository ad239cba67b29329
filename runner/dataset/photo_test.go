package dataset

import (
	"bytes"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"
)

// FuzzPhoto: whatever the bytes, there is an error or a picture of the size in its header, and preparing it gives numbers between 0
// and 1 where mean and deviation are 0 and 1.
func FuzzPhoto(f *testing.F) {
	names, err := filepath.Glob("testdata/photos/*.[pj][np]g")
	if err != nil || len(names) == 0 {
		f.Fatal(names, err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(data[:len(data)*2/3])
	}
	f.Add(header(1<<13, 1<<13))
	prepared := cars.preparation()
	f.Fuzz(func(t *testing.T, data []byte) {
		config, _, headerErr := photoHeader(bytes.NewReader(data))
		if headerErr == nil && config.Width*config.Height > 1<<20 {
			t.Skip("large")
		}
		m, err := decodePhoto(data)
		if err != nil {
			return
		}
		if headerErr != nil || m.width != config.Width || m.height != config.Height || len(m.pix) != 3*m.width*m.height {
			t.Fatalf("a picture of %d×%d, %d bytes; its header says %d×%d, error %v", m.width, m.height, len(m.pix), config.Width, config.Height, headerErr)
		}
		dst := make([]float32, 3*7*7)
		if err := prepared.read(dst, data); err != nil {
			t.Fatal(err)
		}
		for _, v := range dst {
			if !(v >= 0 && v <= 1) {
				t.Fatalf("a pixel is %v", v)
			}
		}
	})
}

// BenchmarkPhoto is a picture of the usual size of ImageNet's, from its bytes to numbers.
func BenchmarkPhoto(b *testing.B) {
	m := image.NewYCbCr(image.Rect(0, 0, 500, 375), image.YCbCrSubsampleRatio420)
	for i := range m.Y {
		m.Y[i] = byte(i%500) ^ byte(i/1000)
	}
	for i := range m.Cb {
		m.Cb[i], m.Cr[i] = byte(i/250), byte(i%250)
	}
	var data bytes.Buffer
	if err := jpeg.Encode(&data, m, nil); err != nil {
		b.Fatal(err)
	}
	prepared := Source{Images: "photos"}.preparation()
	dst := make([]float32, 3*224*224)
	b.ReportAllocs()
	for b.Loop() {
		if err := prepared.read(dst, data.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}
