package org.toydiff.data;

import java.awt.color.ColorSpace;
import java.awt.color.ICC_Profile;
import java.awt.image.BufferedImage;
import java.awt.image.ColorConvertOp;
import java.awt.image.DataBuffer;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Converts a JPEG file of four inks (CMYK or YCCK) to sRGB: by the embedded profile, or without one by the plain
/// formula `R = (255 − C)·(255 − K)/255`, as Pillow does. The JDK's reader assumes that all inks are inverted and
/// that the product is linear light.
///
/// Sources: ITU-T T.81, annex B (markers); ITU-T T.872, 6.5.3 (Adobe's marker, which means inverted inks, and YCCK);
/// ICC.1:2022, annex B.4 (profiles in pieces).
///
/// @param adobe whether the file has Adobe's marker
/// @param ycck whether three of the inks are stored as luma and chroma
/// @param profile the bytes of the embedded profile, empty without one
record CmykJpeg(boolean adobe, boolean ycck, byte[] profile) {
    private static final int MARKER = 0xff;
    private static final int START_OF_IMAGE = 0xd8;
    private static final int START_OF_SCAN = 0xda;
    private static final int PROFILE = 0xe2;
    private static final int ADOBE = 0xee;
    private static final byte[] PROFILE_NAME = "ICC_PROFILE\0".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] ADOBE_NAME = "Adobe".getBytes(StandardCharsets.US_ASCII);

    /// The position of the colour transform in Adobe's marker, and its value for YCCK.
    private static final int TRANSFORM_AT = 11;

    private static final int YCCK = 2;

    /// Reads the markers before the first scan.
    static CmykJpeg of(InputStream file) throws IOException {
        var in = new DataInputStream(file);
        boolean adobe = false;
        boolean ycck = false;
        // Each piece carries its number and the number of pieces; every writer writes them in order.
        var profile = new ByteArrayOutputStream();
        for (int marker = next(in); marker != START_OF_SCAN; marker = next(in)) {
            if (marker == START_OF_IMAGE) {
                continue;
            }
            byte[] content = new byte[Math.max(0, in.readUnsignedShort() - Short.BYTES)];
            in.readFully(content);
            if (marker == ADOBE && begins(content, ADOBE_NAME)) {
                adobe = true;
                ycck = content.length > TRANSFORM_AT && content[TRANSFORM_AT] == YCCK;
            } else if (marker == PROFILE && begins(content, PROFILE_NAME)) {
                int from = Math.min(content.length, PROFILE_NAME.length + 2);
                profile.write(content, from, content.length - from);
            }
        }
        return new CmykJpeg(adobe, ycck, profile.toByteArray());
    }

    private static int next(DataInputStream in) throws IOException {
        int code = in.readUnsignedByte();
        while (code != MARKER) {
            code = in.readUnsignedByte();
        }
        while (code == MARKER) {
            code = in.readUnsignedByte();
        }
        return code;
    }

    private static boolean begins(byte[] content, byte[] name) {
        return content.length >= name.length && Arrays.equals(content, 0, name.length, name, 0, name.length);
    }

    /// Returns the image in sRGB.
    ///
    /// @param stored the four samples of each pixel, as stored in the file
    BufferedImage image(Raster stored) {
        int width = stored.getWidth();
        int height = stored.getHeight();
        WritableRaster inks = Raster.createInterleavedRaster(DataBuffer.TYPE_BYTE, width, height, 4, null);
        int[] row = new int[width * 4];
        for (int y = 0; y < height; y++) {
            stored.getPixels(stored.getMinX(), stored.getMinY() + y, width, 1, row);
            for (int at = 0; at < row.length; at += 4) {
                toInks(row, at);
            }
            inks.setPixels(0, y, width, 1, row);
        }
        var image = new BufferedImage(width, height, BufferedImage.TYPE_3BYTE_BGR);
        if (profile.length > 0) {
            ICC_Profile own = ICC_Profile.getInstance(profile);
            if (own.getColorSpaceType() != ColorSpace.TYPE_CMYK) {
                throw new IllegalArgumentException("it has four inks, but its embedded profile is not a CMYK profile");
            }
            var profiles = new ICC_Profile[] {own, ICC_Profile.getInstance(ColorSpace.CS_sRGB)};
            new ColorConvertOp(profiles, null).filter(inks, image.getRaster());
        } else {
            mix(inks, image.getRaster());
        }
        return image;
    }

    /// Converts four stored samples to inks, from 0 for none to 255 for full, in place.
    private void toInks(int[] samples, int at) {
        if (ycck) {
            double y = samples[at];
            double cb = samples[at + 1] - 128;
            double cr = samples[at + 2] - 128;
            samples[at] = 255 - clamped(y + 1.402 * cr);
            samples[at + 1] = 255 - clamped(y - 0.344136 * cb - 0.714136 * cr);
            samples[at + 2] = 255 - clamped(y + 1.772 * cb);
        }
        for (int i = at; adobe && i < at + 4; i++) {
            samples[i] = 255 - samples[i];
        }
    }

    private static int clamped(double sample) {
        return Math.clamp(Math.round(sample), 0, 255);
    }

    private static void mix(Raster inks, WritableRaster colours) {
        int[] row = new int[inks.getWidth() * 4];
        int[] rgb = new int[inks.getWidth() * 3];
        for (int y = 0; y < inks.getHeight(); y++) {
            inks.getPixels(0, y, inks.getWidth(), 1, row);
            for (int x = 0; x < inks.getWidth(); x++) {
                int light = 255 - row[4 * x + 3];
                for (int i = 0; i < 3; i++) {
                    rgb[3 * x + i] = ((255 - row[4 * x + i]) * light + 127) / 255;
                }
            }
            colours.setPixels(0, y, inks.getWidth(), 1, rgb);
        }
    }
}
