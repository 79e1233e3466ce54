import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.*;
import java.nio.file.*;
import java.util.*;
import javax.imageio.ImageIO;
import org.javarosa.core.model.Constants;
import org.javarosa.core.model.data.*;
import org.javarosa.core.model.instance.*;
import org.javarosa.form.api.*;

/** The photos, recordings and files of one submission: small, and of the kind that their names say. */
class MediaFiles {
    final Submission s;
    final Random rnd;
    final Options o;
    long clock;

    MediaFiles(Submission s) {
        this.s = s;
        rnd = s.rnd;
        o = s.f.o;
        clock = s.clock - 600_000L;
    }

    String name(String ext) { return (clock += 1 + rnd.nextInt(5000)) + "." + ext; }

    IAnswerData keep(FormEntryPrompt p, IAnswerData d) {
        int c = p.getControlType();
        if (c != Constants.CONTROL_IMAGE_CHOOSE && c != Constants.CONTROL_AUDIO_CAPTURE
                && c != Constants.CONTROL_VIDEO_CAPTURE && c != Constants.CONTROL_FILE_CAPTURE
                && c != Constants.CONTROL_OSM_CAPTURE)
            return d;
        String n = (String) d.getValue();
        write(n);
        if (p.getAnswerValue() != null) {
            File old = new File(s.folder, p.getAnswerValue().getDisplayText());
            if (old.isFile() && !old.getName().equals(n)) old.delete();
        } // Collect removes the replaced file
        return d;
    }

    void write(String name) {
        try {
            ByteArrayOutputStream b = new ByteArrayOutputStream();
            String ext = name.substring(name.lastIndexOf('.') + 1);
            switch (ext) {
                case "jpg": {
                    BufferedImage im = new BufferedImage(o.px, o.px, BufferedImage.TYPE_INT_RGB);
                    Graphics2D g = im.createGraphics();
                    for (int i = 0; i < 12; i++) {
                        g.setColor(new Color(rnd.nextInt(0xffffff)));
                        g.fillRect(rnd.nextInt(o.px), rnd.nextInt(o.px), 1 + rnd.nextInt(o.px), 1 + rnd.nextInt(o.px));
                    }
                    ImageIO.write(im, "jpg", b);
                    break;
                }
                case "m4a":
                case "mp4":
                    b.write(new byte[] {0, 0, 0, 24});
                    b.write("ftypmp42".getBytes());
                    b.write(new byte[] {0, 0, 0, 0});
                    b.write("isommp42".getBytes());
                    break;
                case "amr": b.write("#!AMR\n".getBytes()); break;
                case "pdf":
                    b.write("%PDF-1.4\n%âãÏÓ\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
                                    .getBytes());
                    break;
                case "zip":
                case "docx":
                case "xlsx":
                    b.write(new byte[] {0x50, 0x4b, 5, 6});
                    b.write(new byte[18]);
                    break;
                case "xml":
                case "osm": b.write("<?xml version=\"1.0\"?><x/>".getBytes()); break;
                default: b.write("a,b\n1,2\n".getBytes());
            }
            if (!ext.equals("jpg") && !ext.equals("xml") && !ext.equals("osm")) {
                byte[] r = new byte[200 + rnd.nextInt(800)];
                rnd.nextBytes(r);
                b.write(r);
            }
            if (o.extraBytes > 0) {
                byte[] r = new byte[o.extraBytes];
                rnd.nextBytes(r);
                b.write(r);
            }
            Files.write(new File(s.folder, name).toPath(), b.toByteArray());
        } catch (IOException e) {
            throw new RuntimeException(e);
        }
    }

    void finishRecordings() {
        s.f.recordings.keySet().removeIf(r -> {
            TreeElement t = s.form.getMainInstance().resolveReference(r);
            return t == null || (o.edit != null && t.getValue() != null);
        });
        if (s.f.recordings.isEmpty()) return;
        String q = s.f.recordings.values().iterator().next();
        String n = name(q.equals("voice-only") ? "amr" : "m4a");
        write(n);
        for (TreeReference r : s.f.recordings.keySet())
            s.form.getMainInstance().resolveReference(r).setAnswer(
                    new StringData(n)); // one recording shared by every reference
    }
}
