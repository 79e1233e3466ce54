import java.io.*;
import java.util.*;
import org.javarosa.core.model.actions.setgeopoint.SetGeopointAction;
import org.javarosa.core.model.instance.*;
import org.javarosa.core.reference.*;
import org.javarosa.core.services.IPropertyManager;
import org.javarosa.core.services.properties.IPropertyRules;

/** What the phone gives JavaRosa: media files, metadata of the device and its user, a position. */
class Surroundings {
    static class MediaFolder extends PrefixedRootFactory {
        final File dir;
        MediaFolder(File d) {
            super(new String[] {"file"});
            dir = d;
        }
        protected Reference factory(String terminal, String uri) {
            File f = new File(dir, terminal);
            return new Reference() {
                public boolean doesBinaryExist() {
                    return f.exists();
                }
                public InputStream getStream() throws IOException {
                    return new FileInputStream(f);
                }
                public String getURI() {
                    return uri;
                }
                public String getLocalURI() {
                    return f.getAbsolutePath();
                }
                public boolean isReadOnly() {
                    return false;
                }
                public OutputStream getOutputStream() throws IOException {
                    return new FileOutputStream(f);
                }
                public void remove() {
                    f.delete();
                }
                public Reference[] probeAlternativeReferences() {
                    return new Reference[0];
                }
            };
        }
    }

    static class Metadata implements IPropertyManager {
        final Map<String, String> m = new HashMap<>();
        Metadata(Map<String, String> in) {
            in.forEach((k, v) -> {
                m.put(k, v);
                m.put("uri:" + k,
                        (k.equals("username")                     ? "username:"
                                        : k.equals("phonenumber") ? "tel:"
                                        : k.equals("email")       ? "mailto:"
                                                                  : ":")
                                + v);
            });
        }
        public List<String> getProperty(String p) { return new ArrayList<>(); }
        public void setProperty(String p, String v) {}
        public void setProperty(String p, List<String> v) {}
        public String getSingularProperty(String p) { return m.getOrDefault(p.toLowerCase(), ""); }
        public void addRules(IPropertyRules r) {}
        public List<IPropertyRules> getRules() { return new ArrayList<>(); }
    }

    public static class Position extends SetGeopointAction {
        static Random rnd = new Random();
        public Position() { super(); }
        Position(TreeReference r) { super(r); }
        public void requestLocationUpdates() {
            double[] p = Answers.point(rnd);
            saveLocationValue(p[0] + " " + p[1] + " " + p[2] + " " + p[3]);
        }
    }
}
