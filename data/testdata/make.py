"""Makes the images that Go's standard library cannot write itself.

Each is 16×16, red (230, 30, 40) above and blue (20, 60, 200) below, but for
gray_alpha.png, which is 100 with full opacity on the left and none on the
right. Needs Pillow.
"""
import os

from PIL import Image

here = os.path.dirname(os.path.abspath(__file__))
image = Image.new("RGB", (16, 16), (230, 30, 40))
image.paste((20, 60, 200), (0, 8, 16, 16))


def path(name):
    return os.path.join(here, name)


image.convert("CMYK").save(path("cmyk.jpg"), quality=95)
image.save(path("progressive.jpg"), quality=95, progressive=True, subsampling=0)
image.save(path("lossless.webp"), lossless=True)
image.save(path("lossy.webp"), quality=95)
image.save(path("lzw.tiff"), compression="tiff_lzw")

exif = Image.Exif()
exif[0x0112] = 6
image.save(path("turned.jpg"), quality=95, subsampling=0, exif=exif)
image.save(path("turned.png"), exif=exif)
image.save(path("turned.webp"), lossless=True, exif=exif)
image.save(path("turned.tiff"), tiffinfo=exif)

alpha = Image.new("LA", (16, 16), (100, 255))
alpha.paste((100, 0), (8, 0, 16, 16))
alpha.save(path("gray_alpha.png"))
