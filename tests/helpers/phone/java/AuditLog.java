import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.javarosa.core.model.*;
import org.javarosa.core.model.data.*;
import org.javarosa.core.model.instance.*;

/** The audit.csv of one submission. */
class AuditLog {
    final Submission s;
    final List<String[]> lines = new ArrayList<>();

    AuditLog(Submission s) { this.s = s; }

    void log(String event, FormIndex ix) {
        long t = s.clock + lines.size() * 137L;
        lines.add(new String[] {event, ix == null ? "" : s.path(ix.getReference()), "" + t,
                event.matches("question|group questions|add repeat|end screen|jump") ? "" + (t + 90) : ""});
    }

    void write() throws IOException {
        TreeElement meta = s.form.getMainInstance().getRoot().getFirstChild("meta");
        TreeElement au = meta == null ? null : meta.getFirstChild("audit");
        if (au == null) return;
        boolean loc = au.getBindAttributeValue(Fill.ODK_NS, "location-priority") != null,
                ch = "true".equals(au.getBindAttributeValue(Fill.ODK_NS, "track-changes")),
                us = "true".equals(au.getBindAttributeValue(Fill.ODK_NS, "identify-user")),
                re = "on-form-edit".equals(au.getBindAttributeValue(Fill.ODK_NS, "track-changes-reasons"));
        File f = new File(s.folder, "audit.csv");
        boolean fresh = !f.exists();
        try (Writer w = new OutputStreamWriter(new FileOutputStream(f, true), StandardCharsets.UTF_8)) {
            if (fresh)
                w.write("event,node,start,end" + (loc ? ",latitude,longitude,accuracy" : "")
                        + (ch ? ",old-value,new-value" : "") + (us ? ",user" : "") + (re ? ",change-reason" : "")
                        + "\n");
            for (String[] l : lines) {
                double[] p = Answers.point(s.rnd);
                w.write(String.join(",", l) + (loc ? "," + p[0] + "," + p[1] + "," + p[3] : "")
                        + (ch ? ",," + (l[0].equals("question") ? "\"nuevo, valor\"" : "") : "")
                        + (us ? ",enumerador" : "") + (re ? "," : "") + "\n");
            }
        }
        au.setValue(new StringData("audit.csv"));
    }
}
