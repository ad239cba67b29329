package dataset

import (
	"bytes"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
)

// all are all lines of a picture.
func (m *picture) all() *rgb {
	out := &rgb{m.width, m.height, make([]byte, 3*m.width*m.height)}
	for y := range m.height {
		m.line(y, out.pix[3*m.width*y:][:3*m.width])
	}
	return out
}

// decoded is the picture in a file.
func decoded(data []byte) (*rgb, error) {
	info, err := photoHeader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	m, err := decodePhoto(info, data)
	if err != nil {
		return nil, err
	}
	return m.all(), nil
}

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
		config, headerErr := photoHeader(bytes.NewReader(data))
		if headerErr == nil && config.Width*config.Height > 1<<20 {
			t.Skip("large")
		}
		m, err := decoded(data)
		if err != nil {
			return
		}
		if headerErr != nil || m.width != config.Width || m.height != config.Height || len(m.pix) != 3*m.width*m.height {
			t.Fatalf("a picture of %d×%d, %d bytes; its header says %d×%d, error %v", m.width, m.height, len(m.pix), config.Width, config.Height, headerErr)
		}
		dst := make([]float32, 3*7*7)
		if err := prepared.read(dst, data, new(sync.Mutex)); err != nil {
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
		if err := prepared.read(dst, data.Bytes(), new(sync.Mutex)); err != nil {
			b.Fatal(err)
		}
	}
}

// TestPhotoMemory: what decoding takes is foreseen by the header.
func TestPhotoMemory(t *testing.T) {
	var noisy bytes.Buffer
	m := image.NewRGBA(image.Rect(0, 0, 1000, 700))
	for i := range m.Pix {
		m.Pix[i] = byte(i * i >> 7)
	}
	if err := jpeg.Encode(&noisy, m, nil); err != nil {
		t.Fatal(err)
	}
	adobe := []byte("\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00") // of no known transform: RGB
	end := noisy.Len() - 2
	var deep bytes.Buffer
	if err := png.Encode(&deep, image.NewNRGBA64(m.Rect)); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{
		"16 bits":          deep.Bytes(),
		"of a camera":      noisy.Bytes(),
		"RGB":              slices.Concat([]byte("\xff\xd8"), adobe, noisy.Bytes()[2:]),
		"RGB, said at end": slices.Concat(noisy.Bytes()[:end], adobe, noisy.Bytes()[end:]),
	}
	names, err := filepath.Glob("testdata/photos/*.[pj][np]g")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		if files[name], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	for name, data := range files {
		info, err := photoHeader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(name, err)
		}
		decode, foreseen := png.Decode, info.memory
		if info.kind == "JPEG" {
			decode, foreseen = jpeg.Decode, jpegMemory(data, info.Config)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := decode(bytes.NewReader(data)); err != nil {
			t.Fatal(name, err)
		}
		runtime.ReadMemStats(&after)
		took := int64(after.TotalAlloc - before.TotalAlloc)
		const tables = 80000 // buffers and a line or two
		if took > foreseen+tables || info.kind == "JPEG" && took < foreseen {
			t.Errorf("%s: foreseen are %d bytes, decoding took %d", name, foreseen, took)
		}
	}

	// 200 megapixels, 1½ bytes each.
	at := bytes.Index(noisy.Bytes(), []byte("\xff\xc0"))
	huge := slices.Clone(noisy.Bytes())
	copy(huge[at+5:], []byte{12288 >> 8, 12288 & 255, 16384 >> 8, 16384 & 255})
	if info, err := photoHeader(bytes.NewReader(huge)); err != nil || info.memory != 16384*12288*3/2 {
		t.Errorf("%+v, %v", info, err)
	}
	huge[at+1] = 0xc2 // progressive: five times as much
	_, err = photoHeader(bytes.NewReader(huge))
	wantError(t, err, "the JPEG picture of 16384×12288 pixels takes 1509949440 bytes to decode; accepted: at most 671088640", "baseline")
	for _, head := range []string{"", "\xff\xd8", "\xff\xd8\xff\xff\xff\xc0\x00\x00", "\xff\xd8\x00\xff\x00\xff\xd0\xff\xc2\x00\x05\x08", "\xff\xd8\xff\xc0\x00\x09\x08\x00\x01\x00\x01\x03"} {
		if got := jpegMemory([]byte(head), image.Config{Width: 100, Height: 1}); got != 2400 {
			t.Errorf("%q: %d bytes foreseen", head, got)
		}
	}
}
