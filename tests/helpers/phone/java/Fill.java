/*
 * Fill: fills an XForm with seeded random but valid answers using JavaRosa (the engine
 * inside ODK Collect) and writes submissions to disk the way Collect does.
 *
 *   javac -cp ODK_Validate.jar Fill.java
 *   java  -cp ODK_Validate.jar:. Fill form.xml mediaDir outDir --n 100 --seed 1
 *
 * One instance directory per submission is written: outDir/<Form name>_<time>/<same>.xml plus
 * the attachments. One JSON line per submission goes to stdout (instanceId, files, entities,
 * flat list of serialized answers), also kept in outDir/_expected/<dir>.json.
 *
 * Other modes (see usage()): --edit, --merge-list, --offline-ids, --delete-entity, --describe.
 */
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import kotlin.Pair;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.javarosa.core.model.*;
import org.javarosa.core.model.Constants;
import org.javarosa.core.model.actions.recordaudio.RecordAudioActions;
import org.javarosa.core.model.actions.setgeopoint.SetGeopointAction;
import org.javarosa.core.model.actions.setgeopoint.SetGeopointActionHandler;
import org.javarosa.core.model.condition.EvaluationContext;
import org.javarosa.core.model.condition.IFunctionHandler;
import org.javarosa.core.model.data.*;
import org.javarosa.core.model.data.helper.Selection;
import org.javarosa.core.model.instance.*;
import org.javarosa.core.reference.*;
import org.javarosa.core.services.IPropertyManager;
import org.javarosa.core.services.PropertyManager;
import org.javarosa.core.services.PrototypeManager;
import org.javarosa.core.services.properties.IPropertyRules;
import org.javarosa.core.util.JavaRosaCoreModule;
import org.javarosa.core.util.PropertyUtils;
import org.javarosa.form.api.*;
import org.javarosa.model.xform.XFormSerializingVisitor;
import org.javarosa.model.xform.XFormsModule;
import org.javarosa.model.xform.XPathReference;
import org.javarosa.xform.parse.*;
import org.javarosa.xform.util.XFormAnswerDataSerializer;
import org.javarosa.xform.util.XFormUtils;
import org.javarosa.xpath.expr.XPathFuncExpr;

import javax.crypto.Cipher;
import javax.crypto.spec.*;
import javax.imageio.ImageIO;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.security.*;
import java.security.spec.*;
import java.text.SimpleDateFormat;
import java.util.*;
import java.util.Map;
import java.util.List;
import java.util.regex.*;

public class Fill {

    static final String ENTITIES_NS = "http://www.opendatakit.org/xforms/entities";
    static final String ODK_NS = "http://www.opendatakit.org/xforms";
    static final ObjectMapper JSON = new ObjectMapper();

    // ------------------------------------------------------------------ options
    static class Opts {
        int n = 1; long seed = 1; int repMin = 1, repMax = 3; double blank = 0.15, nasty = 0.1, ctrl = 0;
        File entitiesDir; File edit; String lang; int px = 64; int extraBytes = 0; String tz = "America/Panama";
        Map<String, String> props = new HashMap<>(); Map<String, String> answers = new LinkedHashMap<>();
        boolean noEncrypt = false; boolean quiet = false; int changes = 3, retries = 15;
        long clockStart = System.currentTimeMillis();
    }

    static void usage() {
        System.err.println(String.join("\n",
            "java Fill form.xml mediaDir outDir [options]          fill --n submissions",
            "  --n N --seed S --repeats MIN-MAX --blank P --nasty P --ctrl P --lang L --tz ZONE",
            "  --entities DIR      local entity store (entities.json), read and updated like Collect's",
            "  --answers FILE.json {\"/data/q\": \"value\", \"/data/rep#count\": \"2\", \"q\": null}  scripted answers",
            "  --edit INSTANCE.xml reopen a finalized instance, change --changes answers, finalize with deprecatedID",
            "  --px N              pixel size of generated photos;  --extra-bytes N  padding for every media file",
            "  --deviceid --username --phonenumber --email VALUE     metadata properties",
            "java Fill --merge-list NAME CSV HASH --entities DIR [--approval]   apply a server entity list",
            "java Fill --offline-ids NAME --entities DIR           print ids still offline, comma separated",
            "java Fill --delete-entity NAME ID --entities DIR",
            "java Fill --describe form.xml mediaDir                print id, version, title, submission attributes"));
        throw new IllegalArgumentException("usage");
    }

    public static void main(String[] a) throws Exception {
        System.setProperty("java.awt.headless", "true");
        if (a.length == 1 && a[0].equals("--stay")) stay(); else System.exit(command(a));
    }

    /** Commands as JSON arrays on standard input, one a line; one line {code, printed, problem} for each. */
    static void stay() throws Exception {
        PrintStream wire = new PrintStream(new FileOutputStream(FileDescriptor.out), true, "UTF-8");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null; ) {
            ByteArrayOutputStream printed = new ByteArrayOutputStream();
            System.setOut(new PrintStream(printed, true, "UTF-8"));
            Map<String, Object> answer = new LinkedHashMap<>();
            try { answer.put("code", command(JSON.readValue(line, String[].class))); answer.put("problem", ""); }
            catch (Throwable e) { StringWriter w = new StringWriter(); e.printStackTrace(new PrintWriter(w)); answer.put("code", 1); answer.put("problem", w.toString()); }
            answer.put("printed", printed.toString("UTF-8"));
            wire.println(JSON.writeValueAsString(answer));
        }
    }

    static int command(String[] a) throws Exception {
        Opts o = new Opts();
        List<String> pos = new ArrayList<>();
        String mode = "fill"; String[] modeArgs = new String[3]; boolean approval = false;
        o.props.put("deviceid", "collect:FillTestDevice01");
        for (int i = 0; i < a.length; i++) {
            switch (a[i]) {
                case "--n": o.n = Integer.parseInt(a[++i]); break;
                case "--seed": o.seed = Long.parseLong(a[++i]); break;
                case "--repeats": { String[] p = a[++i].split("-"); o.repMin = Integer.parseInt(p[0]); o.repMax = Integer.parseInt(p[p.length - 1]); break; }
                case "--blank": o.blank = Double.parseDouble(a[++i]); break;
                case "--nasty": o.nasty = Double.parseDouble(a[++i]); break;
                case "--ctrl": o.ctrl = Double.parseDouble(a[++i]); break;
                case "--entities": o.entitiesDir = new File(a[++i]); break;
                case "--edit": o.edit = new File(a[++i]); break;
                case "--retries": o.retries = Integer.parseInt(a[++i]); break;
                case "--changes": o.changes = Integer.parseInt(a[++i]); break;
                case "--lang": o.lang = a[++i]; break;
                case "--px": o.px = Integer.parseInt(a[++i]); break;
                case "--extra-bytes": o.extraBytes = Integer.parseInt(a[++i]); break;
                case "--tz": o.tz = a[++i]; break;
                case "--clock": o.clockStart = Long.parseLong(a[++i]); break;
                case "--no-encrypt": o.noEncrypt = true; break;
                case "--quiet": o.quiet = true; break;
                case "--deviceid": case "--username": case "--phonenumber": case "--email":
                    o.props.put(a[i].substring(2), a[i + 1]); i++; break;
                case "--answers": o.answers.putAll(JSON.readValue(new File(a[++i]), LinkedHashMap.class)); break;
                case "--merge-list": mode = "merge"; modeArgs[0] = a[++i]; modeArgs[1] = a[++i]; modeArgs[2] = a[++i]; break;
                case "--approval": approval = true; break;
                case "--offline-ids": mode = "offline"; modeArgs[0] = a[++i]; break;
                case "--delete-entity": mode = "delete"; modeArgs[0] = a[++i]; modeArgs[1] = a[++i]; break;
                case "--describe": mode = "describe"; break;
                default: if (a[i].startsWith("--")) usage(); pos.add(a[i]);
            }
        }
        TimeZone.setDefault(TimeZone.getTimeZone(o.tz));
        if (mode.equals("merge")) { EntityStore s = new EntityStore(o.entitiesDir); s.mergeFromServer(modeArgs[0], new File(modeArgs[1]), modeArgs[2], approval); s.save(); System.out.println(s.summary(modeArgs[0])); return 0; }
        if (mode.equals("offline")) { System.out.println(String.join(",", new EntityStore(o.entitiesDir).offlineIds(modeArgs[0]))); return 0; }
        if (mode.equals("delete")) { EntityStore s = new EntityStore(o.entitiesDir); s.delete(modeArgs[0], modeArgs[1]); s.save(); return 0; }
        if (mode.equals("describe")) { if (pos.size() < 2) usage(); describe(new File(pos.get(0)), new File(pos.get(1)), o); return 0; }
        if (pos.size() != 3) usage();
        Fill f = new Fill(new File(pos.get(0)), new File(pos.get(1)), new File(pos.get(2)), o);
        return f.run();
    }

    // ------------------------------------------------------------------ local entity store (Collect semantics)
    static class Ent {
        public String id, label, state = "OFFLINE", branchId = ""; public int version = 1; public Integer trunkVersion;
        public LinkedHashMap<String, String> properties = new LinkedHashMap<>();
        boolean dirty() { return trunkVersion == null || version != trunkVersion; }
    }

    static class EntList { public String hash; public boolean needsApproval; public List<Ent> entities = new ArrayList<>();
        Ent find(String id) { for (Ent e : entities) if (e.id.equals(id)) return e; return null; } }

    static class EntityStore {
        final File file; LinkedHashMap<String, EntList> lists = new LinkedHashMap<>();
        EntityStore(File dir) throws IOException {
            file = dir == null ? null : new File(dir, "entities.json");
            if (file != null && file.exists())
                lists = JSON.readValue(file, JSON.getTypeFactory().constructMapType(LinkedHashMap.class, String.class, EntList.class));
        }
        void save() throws IOException { if (file != null) { file.getParentFile().mkdirs(); JSON.writeValue(file, lists); } }
        String summary(String l) { EntList e = lists.get(l); return e == null ? "no list" : l + " hash=" + e.hash + " entities=" + e.entities.size(); }
        List<String> offlineIds(String l) { List<String> r = new ArrayList<>(); if (lists.get(l) != null) for (Ent e : lists.get(l).entities) if (e.state.equals("OFFLINE")) r.add(e.id); return r; }
        void delete(String l, String id) { if (lists.get(l) != null) lists.get(l).entities.removeIf(e -> e.id.equals(id)); }

        /** mirrors LocalEntityUseCases.updateLocalEntitiesFromServer */
        void mergeFromServer(String list, File csv, String hash, boolean approval) throws IOException {
            EntList l = lists.get(list);
            if (l != null && hash.equals(l.hash)) return;
            CSVParser parser;
            try { parser = new SecondaryInstanceCSVParserBuilder().path(csv.getPath()).build(); }
            catch (Exception e) { System.err.println("entity list not readable, ignored: " + e); return; }
            if (l == null) l = new EntList();
            Set<String> header = new HashSet<>(); for (String h : parser.getHeaderMap().keySet()) header.add(h.toLowerCase());
            for (Ent e : l.entities) e.properties.keySet().removeIf(k -> !header.contains(k.toLowerCase())); // cleanUpProperties
            LinkedHashMap<String, Ent> missing = new LinkedHashMap<>();
            for (Ent e : l.entities) missing.put(e.id, e);
            List<Ent> save = new ArrayList<>();
            for (CSVRecord r : parser) {
                Map<String, String> m = r.toMap();
                String id = m.get("name"), label = m.get("label"), v = m.get("__version");
                if (id == null || label == null || v == null) { System.err.println("entity CSV lacks name/label/__version: Collect ignores the whole list"); return; }
                int version = Integer.parseInt(v);
                LinkedHashMap<String, String> props = new LinkedHashMap<>();
                for (String h : parser.getHeaderMap().keySet()) if (!h.equals("name") && !h.equals("label") && !h.startsWith("__")) props.put(h, m.get(h));
                Ent ex = missing.remove(id);
                if (ex == null) {
                    Ent e = new Ent(); e.id = id; e.label = label; e.version = version; e.trunkVersion = version; e.state = "ONLINE"; e.branchId = UUID.randomUUID().toString(); e.properties = props; save.add(e);
                } else if (ex.version < version || (ex.version == version && ex.dirty())) {
                    ex.label = label; ex.version = version; ex.trunkVersion = version; ex.state = "ONLINE"; ex.branchId = UUID.randomUUID().toString(); ex.properties.putAll(props);
                } else if (ex.version > version && ex.state.equals("OFFLINE")) ex.state = "ONLINE";
            }
            for (Ent e : missing.values()) if (e.state.equals("ONLINE")) l.entities.remove(e);
            l.entities.addAll(save); l.hash = hash; l.needsApproval = approval; lists.put(list, l);
        }

        /** mirrors LocalEntityUseCases.updateLocalEntitiesFromForm */
        void applyFormEntity(FormEntity fe) {
            boolean v4; try { v4 = fe.id != null && UUID.fromString(fe.id).version() == 4; } catch (IllegalArgumentException e) { v4 = false; }
            if (!v4) { System.err.println("entity ignored locally: id is not a v4 UUID: " + fe.id); return; }
            EntList l = lists.get(fe.dataset); Ent ex = l == null ? null : l.find(fe.id);
            if (fe.action.equals("create") || (fe.action.equals("upsert") && ex == null)) {
                if (fe.label.isBlank() || l == null || l.needsApproval) return;
                Ent e = new Ent(); e.id = fe.id; e.label = fe.label; e.branchId = UUID.randomUUID().toString(); e.properties.putAll(fe.properties); l.entities.add(e);
            } else if (ex != null) {
                if (!fe.label.isBlank()) ex.label = fe.label;
                ex.properties.putAll(fe.properties); ex.version += 1;
            }
        }
    }

    static class FormEntity { public String action, dataset, id, label; public LinkedHashMap<String, String> properties = new LinkedHashMap<>(); public Map<String, String> attributes = new LinkedHashMap<>(); }

    /** entity lists of the store as secondary instances (columns as Collect exposes them) */
    static class EntityInstanceProvider implements ExternalInstanceParser.InstanceProvider {
        final EntityStore store; final File mediaDir;
        EntityInstanceProvider(EntityStore s, File m) { store = s; mediaDir = m; }
        public TreeElement get(String id, String src) {
            TreeElement root = new TreeElement("root", 0); int i = 0;
            for (Ent e : store.lists.get(id).entities) {
                TreeElement item = new TreeElement("item", i++);
                add(item, "name", e.id); add(item, "label", e.label); add(item, "__version", "" + e.version);
                add(item, "__trunkVersion", e.trunkVersion == null ? null : "" + e.trunkVersion); add(item, "__branchId", e.branchId);
                e.properties.forEach((k, v) -> add(item, k, v));
                root.addChild(item);
            }
            return root;
        }
        static void add(TreeElement item, String n, String v) { TreeElement t = new TreeElement(n); if (v != null) t.setValue(new StringData(v)); item.addChild(t); }
        public boolean isSupported(String id, String src) { return !new File(mediaDir, src.substring(src.lastIndexOf('/') + 1)).exists() && store.lists.containsKey(id); }
    }

    /** collects saveto bind attributes while the form is parsed */
    static class EntityProcessor implements XFormParser.BindAttributeProcessor, XFormParser.FormDefProcessor, XFormParser.ModelAttributeProcessor {
        final Map<String, String> saveTos = new LinkedHashMap<>(); String version; final Fill fill;
        EntityProcessor(Fill f) { fill = f; }
        public Set<Pair<String, String>> getModelAttributes() { return Set.of(new Pair<>(ENTITIES_NS, "entities-version")); }
        public void processModelAttribute(String name, String value) throws XFormParser.ParseException {
            version = value;
            if (!value.matches("(2022|2023|2024|2025)\\.1.*")) throw new XFormParser.ParseException() { public String getMessage() { return "unsupported entities-version " + value; } };
        }
        public Set<Pair<String, String>> getBindAttributes() { return Set.of(new Pair<>(ENTITIES_NS, "saveto")); }
        public void processBindAttribute(String name, String value, DataBinding b) { saveTos.put(((TreeReference) ((XPathReference) b.getReference()).getReference()).toString(false), value); }
        public void processFormDef(FormDef f) throws XFormParser.ParseException {
            boolean has = !entityElements(f.getMainInstance().getRoot(), true).isEmpty();
            if (has && version == null) throw new XFormParser.MissingModelAttributeException(ENTITIES_NS, "entities-version");
            fill.entityProc = this;
        }
        boolean local() { return version != null && (version.startsWith("2024.1") || version.startsWith("2025.1")); }
    }

    static List<TreeElement> entityElements(TreeElement e, boolean templates) {
        List<TreeElement> out = new ArrayList<>();
        for (int i = 0; i < e.getNumChildren(); i++) {
            TreeElement c = e.getChildAt(i);
            if (c.getName().equals("meta")) { TreeElement x = c.getFirstChild("entity"); if (x != null) out.add(x); }
            else if (c.hasChildren() && (templates || c.getMult() != TreeReference.INDEX_TEMPLATE)) out.addAll(entityElements(c, templates));
        }
        return out;
    }

    // ------------------------------------------------------------------ references and metadata
    static class DirRefFactory extends PrefixedRootFactory {
        final File dir;
        DirRefFactory(File d) { super(new String[]{"file"}); dir = d; }
        protected Reference factory(String terminal, String uri) {
            File f = new File(dir, terminal);
            return new Reference() {
                public boolean doesBinaryExist() { return f.exists(); }
                public InputStream getStream() throws IOException { return new FileInputStream(f); }
                public String getURI() { return uri; }
                public String getLocalURI() { return f.getAbsolutePath(); }
                public boolean isReadOnly() { return false; }
                public OutputStream getOutputStream() throws IOException { return new FileOutputStream(f); }
                public void remove() { f.delete(); }
                public Reference[] probeAlternativeReferences() { return new Reference[0]; }
            };
        }
    }

    static class Props implements IPropertyManager {
        final Map<String, String> m = new HashMap<>();
        Props(Map<String, String> in) {
            in.forEach((k, v) -> { m.put(k, v); m.put("uri:" + k, (k.equals("username") ? "username:" : k.equals("phonenumber") ? "tel:" : k.equals("email") ? "mailto:" : ":") + v); });
        }
        public List<String> getProperty(String p) { return new ArrayList<>(); }
        public void setProperty(String p, String v) { }
        public void setProperty(String p, List<String> v) { }
        public String getSingularProperty(String p) { return m.getOrDefault(p.toLowerCase(), ""); }
        public void addRules(IPropertyRules r) { }
        public List<IPropertyRules> getRules() { return new ArrayList<>(); }
    }

    public static class FillSetGeopoint extends SetGeopointAction {
        static Random rnd = new Random();
        public FillSetGeopoint() { super(); }
        FillSetGeopoint(TreeReference r) { super(r); }
        public void requestLocationUpdates() { double[] p = point(rnd); saveLocationValue(p[0] + " " + p[1] + " " + p[2] + " " + p[3]); }
    }

    // ------------------------------------------------------------------ instance fields
    final File formXml, mediaDir, outDir; final Opts o; EntityStore store; EntityProcessor entityProc;
    Map<String, String> constraintText = new HashMap<>();
    final Map<TreeReference, String> recordAudio = new LinkedHashMap<>();
    long mediaClock;
    FormDef form; FormEntryModel model; FormEntryController fec; Random rnd; File instDir; File instFile;
    List<String> unsatisfied; List<String[]> audit; long clock; String title;

    Fill(File form, File media, File out, Opts o) throws Exception {
        this.formXml = form.getAbsoluteFile(); this.mediaDir = media.getAbsoluteFile(); this.outDir = out.getAbsoluteFile(); this.o = o;
        if (!formXml.exists()) throw new FileNotFoundException(formXml.getPath());
        mediaDir.mkdirs(); outDir.mkdirs();
        store = new EntityStore(o.entitiesDir);
        PropertyManager.setPropertyManager(new Props(o.props));
        PrototypeManager.registerPrototypes(JavaRosaCoreModule.classNames);
        PrototypeManager.registerPrototypes(CoreModelModule.classNames);
        new XFormsModule().registerModule();
        XFormParser.registerActionHandler(SetGeopointActionHandler.ELEMENT_NAME, new SetGeopointActionHandler() {
            public SetGeopointAction getSetGeopointAction() { return new FillSetGeopoint(null); } });
        RecordAudioActions.setRecordAudioListener((ref, quality) -> recordAudio.put(ref, quality == null ? "" : quality));
        XFormUtils.setXFormParserFactory(new IXFormParserFactory.Wrapper(new XFormParserFactory()) {
            public XFormParser apply(XFormParser p) { p.addProcessor(new EntityProcessor(Fill.this)); return p; } });
        XFormUtils.setExternalInstanceParserFactory(() -> { ExternalInstanceParser p = new ExternalInstanceParser(); p.addInstanceProvider(new EntityInstanceProvider(store, mediaDir)); return p; });
        ReferenceManager rm = ReferenceManager.instance(); rm.reset(); rm.addReferenceFactory(new DirRefFactory(mediaDir));
        for (String h : new String[]{"images", "image", "audio", "video", "file-csv"}) rm.addSessionRootTranslator(new RootTranslator("jr://" + h + "/", "jr://file/"));
        readConstraints();
    }

    void readConstraints() throws Exception {
        javax.xml.parsers.DocumentBuilderFactory f = javax.xml.parsers.DocumentBuilderFactory.newInstance(); f.setNamespaceAware(true);
        org.w3c.dom.Document d = f.newDocumentBuilder().parse(formXml);
        org.w3c.dom.NodeList binds = d.getElementsByTagNameNS("*", "bind");
        for (int i = 0; i < binds.getLength(); i++) { org.w3c.dom.Element e = (org.w3c.dom.Element) binds.item(i); if (e.hasAttribute("constraint")) constraintText.put(e.getAttribute("nodeset"), e.getAttribute("constraint")); }
        org.w3c.dom.NodeList t = d.getElementsByTagNameNS("*", "title"); title = t.getLength() > 0 ? t.item(0).getTextContent() : "form";
    }

    FormDef parseForm() throws Exception {
        File lastSaved = new File(mediaDir, "last-saved.xml");
        if (!lastSaved.exists()) Files.write(lastSaved.toPath(), "<?xml version='1.0' ?><stub />".getBytes(StandardCharsets.UTF_8));
        try (InputStream in = new FileInputStream(formXml)) { return XFormUtils.getFormFromInputStream(in, "jr://file/last-saved.xml"); }
    }

    static void describe(File form, File media, Opts o) throws Exception {
        Fill f = new Fill(form, media, Files.createTempDirectory("fill").toFile(), o); FormDef d = f.parseForm();
        Map<String, Object> m = new LinkedHashMap<>(); TreeElement r = d.getMainInstance().getRoot();
        m.put("title", d.getTitle()); m.put("id", r.getAttributeValue(null, "id")); m.put("version", r.getAttributeValue(null, "version"));
        m.put("entities-version", f.entityProc == null ? null : f.entityProc.version); m.put("saveTos", f.entityProc == null ? null : f.entityProc.saveTos);
        m.put("instances", new ArrayList<>(d.getFormInstances().keySet()));
        System.out.println(JSON.writeValueAsString(m));
    }

    // ------------------------------------------------------------------ main loop
    int run() throws Exception {
        int bad = 0;
        for (int i = 0; i < o.n; i++) {
            Map<String, Object> res = null;
            for (int t = 0; res == null; t++) { // dead ends (a required answer that no value satisfies) start again with another sub-seed
                rnd = new Random(mix((o.seed * 1000003L + i) * 31 + t * 7_777_777_777L)); FillSetGeopoint.rnd = rnd;
                clock = o.clockStart + i * 1000L; mediaClock = clock - 600_000L;
                unsatisfied = new ArrayList<>(); audit = new ArrayList<>(); recordAudio.clear();
                try { res = one(i, t < o.retries); }
                catch (DeadEnd e) { for (File f : instDir.listFiles()) f.delete(); instDir.delete(); }
            }
            if (!unsatisfied.isEmpty()) bad++;
            String line = JSON.writeValueAsString(res);
            File exp = new File(outDir, "_expected"); exp.mkdirs();
            Files.write(new File(exp, instDir.getName() + ".json").toPath(), line.getBytes(StandardCharsets.UTF_8));
            if (!o.quiet) new PrintStream(System.out, true, "UTF-8").println(line);
        }
        store.save();
        System.err.println("filled " + o.n + " submission(s), " + bad + " with unsatisfied constraints");
        return bad > 0 ? 3 : 0;
    }

    static long mix(long z) { z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L + 0x9E3779B97F4A7C15L; z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL; return z ^ (z >>> 31); }

    static String cleanName(String n) { return n.replaceAll("[^\\p{L}\\p{Digit}]", " ").replaceAll("\\p{javaWhitespace}+", " ").trim(); }

    static class DeadEnd extends Exception { }

    Map<String, Object> one(int i, boolean mayRetry) throws Exception {
        String base = cleanName(title) + "_" + new SimpleDateFormat("yyyy-MM-dd_HH-mm-ss", Locale.ENGLISH).format(new Date(clock));
        instDir = new File(outDir, base); int k = 1;
        while (instDir.exists()) { clock += 1000; base = cleanName(title) + "_" + new SimpleDateFormat("yyyy-MM-dd_HH-mm-ss", Locale.ENGLISH).format(new Date(clock)); instDir = new File(outDir, base); if (k++ > 100000) throw new IOException("no free dir"); }
        instDir.mkdirs(); instFile = new File(instDir, base + ".xml");

        form = parseForm(); model = new FormEntryModel(form); fec = new FormEntryController(model);
        fec.addFunctionHandler(new PullData());
        String edited = null;
        if (o.edit != null) {
            for (File f : o.edit.getAbsoluteFile().getParentFile().listFiles()) if (!f.getName().equals(o.edit.getName())) { Files.copy(f.toPath(), new File(instDir, f.getName()).toPath()); }
            edited = importInstance(o.edit);
            form.initialize(false, new InstanceInitializationFactory());
        } else form.initialize(true, new InstanceInitializationFactory());

        String[] langs = model.getLanguages();
        if (langs != null && langs.length > 0) fec.setLanguage(o.lang != null ? o.lang : langs[rnd.nextInt(langs.length)]);

        log("form start", null); // audit
        if (o.edit == null) walk(); else change();
        for (int round = 0; round < 50; round++) {
            ValidateOutcome v = form.validate();
            if (v == null) break;
            fec.jumpToIndex(v.failedPrompt);
            if (!answer(v.failedPrompt, true) || round == 49) { unsatisfied.add("validate: " + path(v.failedPrompt.getReference()) + " outcome " + v.outcome); break; }
        }
        if (mayRetry && !unsatisfied.isEmpty()) throw new DeadEnd();
        log("end screen", null); log("form save", null); log("form exit", null); log("form finalize", null);

        finishBackgroundAudio();
        fec.finalizeFormEntry();                       // xforms-revalidate, end timestamps, ...
        List<FormEntity> ents = entities();
        if (o.edit == null && entityProc != null && entityProc.local()) for (FormEntity fe : ents) store.applyFormEntity(fe);
        if (o.edit != null) addDeprecatedId();
        finishAudit();

        byte[] full = bytes(new XFormSerializingVisitor(false).createSerializedPayload(form.getInstance()));
        Files.write(new File(mediaDir, "last-saved.xml").toPath(), full);
        SubmissionProfile sp = form.getSubmissionProfile();
        IDataReference ref = sp == null || sp.getRef() == null ? new XPathReference("/") : sp.getRef();
        byte[] sub = bytes(new XFormSerializingVisitor().createSerializedPayload(form.getInstance(), ref));
        Files.write(instFile.toPath(), sub);

        TreeElement root = form.getMainInstance().getRoot();
        TreeElement meta = root.getFirstChild("meta");
        Map<String, Object> res = new LinkedHashMap<>();
        res.put("dir", instDir.getPath()); res.put("xml", instFile.getPath());
        res.put("formId", root.getAttributeValue(null, "id")); res.put("version", root.getAttributeValue(null, "version"));
        res.put("instanceId", text(meta, "instanceID")); res.put("deprecatedId", text(meta, "deprecatedID")); res.put("instanceName", text(meta, "instanceName"));
        res.put("seed", o.seed * 1000003L + i);
        String key = sp == null ? null : sp.getAttribute("base64RsaPublicKey");
        res.put("submissionAction", sp == null ? null : sp.getAction());
        res.put("encrypted", key != null && !o.noEncrypt);
        List<Map<String, Object>> vals = new ArrayList<>(); flatten(root, vals); res.put("values", vals);
        res.put("entities", ents);
        res.put("unsatisfied", unsatisfied);
        if (key != null && !o.noEncrypt) encrypt(key, (String) res.get("formId"), (String) res.get("version"), (String) res.get("instanceId"));
        List<String> files = new ArrayList<>(); for (File f : instDir.listFiles()) if (!f.equals(instFile)) files.add(f.getName()); Collections.sort(files);
        res.put("files", files);
        res.put("finalizedAt", clock);
        return res;
    }

    static byte[] bytes(org.javarosa.core.services.transport.payload.IDataPayload p) throws IOException { return p.getPayloadStream().readAllBytes(); }

    static String text(TreeElement p, String n) { if (p == null || p.getFirstChild(n) == null || p.getFirstChild(n).getValue() == null) return null; return p.getFirstChild(n).getValue().uncast().getString(); }

    /** like FormLoaderTask.importData */
    String importInstance(File f) throws IOException {
        TreeElement saved = XFormParser.restoreDataModel(Files.readAllBytes(f.toPath()), null).getRoot();
        TreeElement tmpl = form.getInstance().getRoot().deepCopy(true);
        if (!saved.getName().equals(tmpl.getName()) || saved.getMult() != 0) throw new IOException("instance does not match form");
        tmpl.populate(saved, form);
        form.getInstance().setName(null);
        form.getInstance().setRoot(tmpl);
        if (model.getLanguages() != null) form.localeChanged(model.getLanguage(), form.getLocalizer());
        return text(tmpl.getFirstChild("meta"), "instanceID");
    }

    /** like EditedFormFinalizationProcessor */
    void addDeprecatedId() {
        TreeElement meta = form.getMainInstance().getRoot().getFirstChild("meta"), id = meta.getFirstChild("instanceID");
        TreeElement dep = new TreeElement("deprecatedID"); meta.addChild(dep);
        dep.setAnswer(id.getValue());
        id.setAnswer(new StringData("uuid:" + PropertyUtils.genUUID()));
    }

    // ------------------------------------------------------------------ walking and answering
    void walk() {
        Map<String, Integer> targets = new HashMap<>();
        fec.jumpToIndex(FormIndex.createBeginningOfFormIndex());
        int ev; int guard = 0; Set<String> dropped = new HashSet<>();
        while ((ev = fec.stepToNextEvent()) != FormEntryController.EVENT_END_OF_FORM) {
            if (++guard > 200000) throw new IllegalStateException("form never ends");
            FormIndex ix = model.getFormIndex();
            switch (ev) {
                case FormEntryController.EVENT_QUESTION: answer(ix, false); break;
                case FormEntryController.EVENT_GROUP: log("group questions", ix); break;
                case FormEntryController.EVENT_REPEAT: {
                    GroupDef g = (GroupDef) form.getChild(ix);
                    if (g.getCountReference() == null && !g.noAddRemove && ix.getElementMultiplicity() == 0) {
                        String kk = parentKey(ix.getReference());
                        int t = targets.computeIfAbsent(kk, x -> target(ix));
                        if (t == 0 && dropped.add(kk)) { // the user deletes the pre-created first instance
                            log("delete repeat", ix);
                            fec.deleteRepeat(ix); fec.jumpToIndex(ix);
                            if (model.getEvent() == FormEntryController.EVENT_QUESTION) answer(model.getFormIndex(), false);
                        }
                    }
                    break;
                }
                case FormEntryController.EVENT_PROMPT_NEW_REPEAT: {
                    log("add repeat", ix);
                    int have = ix.getElementMultiplicity();
                    int t = targets.computeIfAbsent(parentKey(ix.getReference()), x -> target(ix));
                    if (have < t) { fec.newRepeat(ix); fec.jumpToIndex(ix); }
                    break;
                }
                default:
            }
        }
    }

    String parentKey(TreeReference r) { return path(r.getParentRef()) + "/" + r.getNameLast(); }

    int target(FormIndex ix) {
        String s = script(ix.getReference(), "#count");
        if (s != null) return Integer.parseInt(s);
        return o.repMin + rnd.nextInt(o.repMax - o.repMin + 1);
    }

    void change() {
        List<FormIndex> qs = new ArrayList<>(); List<FormIndex> scripted = new ArrayList<>();
        fec.jumpToIndex(FormIndex.createBeginningOfFormIndex()); int ev;
        while ((ev = fec.stepToNextEvent()) != FormEntryController.EVENT_END_OF_FORM)
            if (ev == FormEntryController.EVENT_QUESTION) {
                FormEntryPrompt p = model.getQuestionPrompt();
                if (p.isReadOnly()) continue;
                if (hasScript(model.getFormIndex().getReference())) scripted.add(model.getFormIndex()); else qs.add(model.getFormIndex());
            }
        for (FormIndex ix : scripted) answer(ix, false);
        if (!scripted.isEmpty()) return;
        Collections.shuffle(qs, rnd);
        for (int j = 0; j < Math.min(o.changes, qs.size()); j++) if (model.isIndexRelevant(qs.get(j))) answer(qs.get(j), true);
    }

    boolean hasScript(TreeReference r) { for (String k : keys(r)) if (o.answers.containsKey(k)) return true; return false; }
    String script(TreeReference r, String suffix) { for (String k : keys(r)) if (o.answers.containsKey(k + suffix)) return o.answers.get(k + suffix) == null ? null : String.valueOf((Object) o.answers.get(k + suffix)); return null; }
    List<String> keys(TreeReference r) { return Arrays.asList(path(r), r.toString(false), r.getNameLast()); }

    boolean answer(FormIndex ix, boolean force) {
        FormEntryPrompt p = model.getQuestionPrompt(ix);
        log("question", ix);
        if (p.isReadOnly() && p.getControlType() != Constants.CONTROL_TRIGGER) return false;
        TreeReference ref = ix.getReference();
        if (hasScript(ref)) {
            String v = script(ref, "");
            IAnswerData d = v == null ? null : scripted(p, v);
            int rc = fec.answerQuestion(ix, d, true);
            if (rc != FormEntryController.ANSWER_OK) { unsatisfied.add("scripted answer refused (" + rc + "): " + path(ref) + " = " + v); return false; }
            return true;
        }
        if (!force && p.getAnswerValue() != null && rnd.nextInt(2) == 0) return true; // keep the default
        if (!force && !p.isRequired() && rnd.nextDouble() < o.blank) { fec.answerQuestion(ix, null, true); return true; }
        for (int attempt = 0; attempt < 400; attempt++) {
            IAnswerData d = gen(p, attempt);
            if (d == null) break;
            int rc;
            if (!form.evaluateConstraint(ref, d)) continue;
            d = realizeMedia(p, d);
            rc = fec.answerQuestion(ix, d, true);
            if (rc == FormEntryController.ANSWER_OK) return true;
        }
        int rc = fec.answerQuestion(ix, null, true);
        if (rc != FormEntryController.ANSWER_OK) { unsatisfied.add("no valid answer found: " + path(ref)); return false; }
        return !force;
    }

    IAnswerData scripted(FormEntryPrompt p, String v) {
        switch (p.getControlType()) {
            case Constants.CONTROL_SELECT_ONE:
                for (SelectChoice c : p.getSelectChoices()) if (c.getValue().equals(v)) return new SelectOneData(c.selection());
                throw new IllegalArgumentException("no choice " + v + " for " + path(p.getIndex().getReference()));
            case Constants.CONTROL_SELECT_MULTI: case Constants.CONTROL_RANK: {
                List<Selection> l = new ArrayList<>();
                for (String s : v.split(" ")) for (SelectChoice c : p.getSelectChoices()) if (c.getValue().equals(s)) l.add(c.selection());
                return new SelectMultiData(l);
            }
            case Constants.CONTROL_IMAGE_CHOOSE: case Constants.CONTROL_AUDIO_CAPTURE: case Constants.CONTROL_VIDEO_CAPTURE: case Constants.CONTROL_FILE_CAPTURE: {
                File f = new File(v);
                try { if (f.exists()) { String nm = f.getName(); Files.copy(f.toPath(), new File(instDir, nm).toPath(), StandardCopyOption.REPLACE_EXISTING); return new StringData(nm); } } catch (IOException e) { throw new RuntimeException(e); }
                return new StringData(v);
            }
            case Constants.CONTROL_RANGE:
                return p.getDataType() == Constants.DATATYPE_INTEGER ? new IntegerData(Integer.parseInt(v)) : new DecimalData(Double.parseDouble(v));
            default: {
                IAnswerData d = org.javarosa.xform.util.XFormAnswerDataParser.getAnswerData(v, p.getDataType(), p.getQuestion());
                if (d == null) throw new IllegalArgumentException("value " + v + " does not fit " + path(p.getIndex().getReference()));
                return d;
            }
        }
    }

    // ------------------------------------------------------------------ random values by type
    static double[] point(Random r) {
        double lat = 7.2 + r.nextDouble() * 2.4, lon = -83.0 + r.nextDouble() * 5.7;
        return new double[]{lat, lon, r.nextInt(5) == 0 ? 0.0 : Math.round(r.nextDouble() * 18000) / 10.0, Double.parseDouble(Float.toString(3f + r.nextFloat() * 20f))};
    }

    static final String[] WORDS = {"Ngäbe", "Buglé", "comarca", "río", "niño", "señora", "agua", "escuela", "Kusapín", "Müna", "Jirondai", "Guna Yala", "Emberá", "pescado", "yuca", "plátano", "ñame", "Changuinola", "año 2026", "casa"};
    static final String[] NASTY = {"O'Brien & \"hijos\" <b>", "línea 1\nlínea 2", "  espacios  ", "=1+1", "+50761234567", "-5", "@user", "😀 café ☕", "a,b;c\td", "<![CDATA[x]]>", "&amp;&#10;", "\\\\servidor\\x", "null", "NaN", "0012", "1e5", "𠜎漢字", "Ŋ̈gäbe gwi", "\u00a0nbsp\u00a0", "'; DROP TABLE x; --", "${q}", "{{7*7}}", "%00%0a", "true", "2026-01-01", "\u202Ertl"};

    IAnswerData gen(FormEntryPrompt p, int attempt) {
        QuestionDef q = p.getQuestion(); int ct = p.getControlType(); String app = String.valueOf(p.getAppearanceHint());
        String con = constraintText.get(p.getIndex().getReference().toString(false));
        boolean guided = con != null && (attempt % 4 != 0 || attempt > 100);
        if (app.contains("search(") && (ct == Constants.CONTROL_SELECT_ONE || ct == Constants.CONTROL_SELECT_MULTI)) {
            List<String> vals = searchValues(p, app);
            if (vals != null) {
                if (vals.isEmpty()) return null;
                Selection s = new Selection(vals.get(rnd.nextInt(vals.size())));
                return ct == Constants.CONTROL_SELECT_ONE ? new SelectOneData(s) : new SelectMultiData(Collections.singletonList(s));
            }
        }
        switch (ct) {
            case Constants.CONTROL_TRIGGER: return new StringData("OK");
            case Constants.CONTROL_SELECT_ONE: { List<SelectChoice> c = p.getSelectChoices(); return c.isEmpty() ? null : new SelectOneData(c.get(rnd.nextInt(c.size())).selection()); }
            case Constants.CONTROL_SELECT_MULTI: {
                List<SelectChoice> c = p.getSelectChoices(); if (c.isEmpty()) return null;
                int k = 1 + rnd.nextInt(c.size()); List<Integer> idx = new ArrayList<>(); for (int i = 0; i < c.size(); i++) idx.add(i);
                Collections.shuffle(idx, rnd); // Collect keeps the order in which the user tapped the choices
                List<Selection> l = new ArrayList<>(); for (int i : idx.subList(0, k)) l.add(c.get(i).selection()); return new SelectMultiData(l);
            }
            case Constants.CONTROL_RANK: { List<Selection> l = new ArrayList<>(); for (SelectChoice c : p.getSelectChoices()) l.add(c.selection()); if (l.isEmpty()) return null; Collections.shuffle(l, rnd); return new SelectMultiData(l); }
            case Constants.CONTROL_RANGE: {
                RangeQuestion r = (RangeQuestion) q; java.math.BigDecimal st = r.getRangeStep().abs(), lo = r.getRangeStart().min(r.getRangeEnd()), hi = r.getRangeStart().max(r.getRangeEnd());
                int steps = st.signum() == 0 ? 0 : hi.subtract(lo).divide(st, java.math.RoundingMode.FLOOR).intValue();
                java.math.BigDecimal v = lo.add(st.multiply(new java.math.BigDecimal(rnd.nextInt(steps + 1))));
                return p.getDataType() == Constants.DATATYPE_INTEGER ? new IntegerData(v.intValue()) : new DecimalData(v.doubleValue());
            }
            case Constants.CONTROL_IMAGE_CHOOSE: return new StringData(mediaName("jpg"));
            case Constants.CONTROL_AUDIO_CAPTURE: return new StringData(mediaName(rnd.nextInt(3) == 0 ? "amr" : "m4a"));
            case Constants.CONTROL_VIDEO_CAPTURE: return new StringData(mediaName("mp4"));
            case Constants.CONTROL_FILE_CAPTURE: return new StringData(mediaName(new String[]{"pdf", "docx", "xlsx", "csv", "txt", "zip", "xml"}[rnd.nextInt(7)]));
            case Constants.CONTROL_OSM_CAPTURE: return new StringData(mediaName("osm"));
            default:
        }
        switch (p.getDataType()) {
            case Constants.DATATYPE_INTEGER: {
                if (guided) { Double d = guidedNumber(con); if (d != null && Math.abs(d) < 2e9) return new IntegerData((int) Math.round(d)); }
                int[] spans = {10, 100, 1000, 1000000, 999999999}; return new IntegerData(rnd.nextInt(spans[rnd.nextInt(attempt < 4 ? 3 : 5)]) * (rnd.nextInt(8) == 0 ? -1 : 1));
            }
            case Constants.DATATYPE_LONG: return new LongData(rnd.nextLong() % 1000000000000L);
            case Constants.DATATYPE_DECIMAL: {
                if (guided) { Double d = guidedNumber(con); if (d != null) return new DecimalData(rnd.nextBoolean() ? d : Math.round((d + rnd.nextDouble()) * 100) / 100.0); }
                switch (rnd.nextInt(6)) { case 0: return new DecimalData(rnd.nextInt(100)); case 1: return new DecimalData(rnd.nextInt(999999999) + 12345678.5); case 2: return new DecimalData(Math.round(rnd.nextDouble() * 1e5) / 1e8); default: return new DecimalData(Math.round(rnd.nextDouble() * 1e5) / 100.0 * (rnd.nextInt(6) == 0 ? -1 : 1)); }
            }
            case Constants.DATATYPE_DATE: return new DateData(midnight(day(guided ? con : null)));
            case Constants.DATATYPE_DATE_TIME: return new DateTimeData(new Date(day(guided ? con : null).getTime() / 60000 * 60000));
            case Constants.DATATYPE_TIME: { Calendar c = Calendar.getInstance(); c.set(Calendar.HOUR_OF_DAY, rnd.nextInt(24)); c.set(Calendar.MINUTE, rnd.nextInt(60)); c.set(Calendar.SECOND, 0); c.set(Calendar.MILLISECOND, 0); return new TimeData(c.getTime()); }
            case Constants.DATATYPE_BOOLEAN: return new BooleanData(rnd.nextBoolean());
            case Constants.DATATYPE_GEOPOINT: { double[] pt = point(rnd); if (app.contains("placement-map") || app.equals("maps")) { pt[2] = 0; pt[3] = 0; } return new GeoPointData(pt); }
            case Constants.DATATYPE_GEOTRACE: { GeoTraceData.GeoTrace t = new GeoTraceData.GeoTrace(); ring(t.points, 2 + rnd.nextInt(6)); return new GeoTraceData(t); }
            case Constants.DATATYPE_GEOSHAPE: { GeoShapeData.GeoShape s = new GeoShapeData.GeoShape(); ring(s.points, 3 + rnd.nextInt(5)); s.points.add(s.points.get(0).clone()); return new GeoShapeData(s); }
            case Constants.DATATYPE_BARCODE: return new StringData("75" + (1000000000L + rnd.nextInt(999999999)));
            default: return new StringData(textValue(guided ? con : null, app, attempt));
        }
    }

    /** search('file') and search('file', 'matches', 'column', value) appearances; null when not understood */
    List<String> searchValues(FormEntryPrompt p, String app) {
        Matcher m = Pattern.compile("search\\s*\\(\\s*'([^']+)'\\s*(?:,\\s*'(\\w+)'\\s*,\\s*'(\\w+)'\\s*,\\s*([^,)]+(?:\\([^)]*\\))?))?").matcher(app);
        if (!m.find()) return null;
        File f = new File(mediaDir, m.group(1) + (m.group(1).endsWith(".csv") ? "" : ".csv"));
        if (!f.exists()) return null;
        List<String> out = new ArrayList<>();
        try (CSVParser c = new SecondaryInstanceCSVParserBuilder().path(f.getPath()).build()) {
            String want = null;
            if (m.group(2) != null) { Object v = org.javarosa.xpath.XPathParseTool.parseXPath(m.group(4).trim()).eval(form.getMainInstance(), new EvaluationContext(form.getEvaluationContext(), p.getIndex().getReference())); want = XPathFuncExpr.toString(XPathFuncExpr.unpack(v)); }
            for (CSVRecord r : c) for (SelectChoice ch : p.getQuestion().getChoices()) {
                if (!r.isMapped(ch.getValue())) continue;
                if (want != null) { String x = r.isMapped(m.group(3)) ? r.get(m.group(3)) : ""; String how = m.group(2); if (!(how.equals("matches") ? x.equals(want) : how.equals("contains") ? x.contains(want) : how.equals("startsWith") ? x.startsWith(want) : x.endsWith(want))) continue; }
                out.add(r.get(ch.getValue()));
            }
        } catch (Exception e) { return null; }
        return out;
    }

    void ring(List<double[]> pts, int n) {
        double[] c = point(rnd); double r = 0.0005 + rnd.nextDouble() * 0.01; boolean gps = rnd.nextBoolean();
        for (int i = 0; i < n; i++) { double ang = 2 * Math.PI * i / n; pts.add(new double[]{c[0] + r * Math.cos(ang), c[1] + r * Math.sin(ang), gps ? c[2] : 0.0, gps ? c[3] : 0.0}); }
    }

    String textValue(String con, String app, int attempt) {
        if (con != null) {
            Matcher m = Pattern.compile("regex\\s*\\(\\s*\\.\\s*,\\s*(?:'([^']*)'|\"([^\"]*)\")").matcher(con);
            if (m.find()) { String g = RegexGen.gen(m.group(1) != null ? m.group(1) : m.group(2), rnd); if (g != null && !g.isEmpty()) return g; }
            if (con.contains("string-length")) { Double d = guidedNumber(con); if (d != null && d >= 1 && d < 5000) { StringBuilder b = new StringBuilder(); while (b.length() < d) b.append((char) ('a' + rnd.nextInt(26))); return b.substring(0, d.intValue()); } }
            if (attempt % 3 == 0) { List<String> lits = literals(con); if (!lits.isEmpty()) return lits.get(rnd.nextInt(lits.size())); }
            if (attempt % 3 == 1) { Double d = guidedNumber(con); if (d != null) return "" + Math.round(d); }
        }
        if (app.contains("numbers")) return String.format("%0" + (3 + rnd.nextInt(5)) + "d", rnd.nextInt(1000));
        if (o.ctrl > 0 && rnd.nextDouble() < o.ctrl) return "(01)07\u001d21ABC\u000bfin"; // control characters: JavaRosa then writes XML that is not well formed
        if (rnd.nextDouble() < o.nasty) return NASTY[rnd.nextInt(NASTY.length)];
        StringBuilder b = new StringBuilder(); int n = 1 + rnd.nextInt(app.contains("multiline") ? 60 : 4);
        for (int i = 0; i < n; i++) b.append(i == 0 ? "" : (app.contains("multiline") && rnd.nextInt(8) == 0 ? "\n" : " ")).append(WORDS[rnd.nextInt(WORDS.length)]);
        return b.toString();
    }

    static List<String> literals(String con) { List<String> l = new ArrayList<>(); Matcher m = Pattern.compile("'([^']+)'|\"([^\"]+)\"").matcher(con); while (m.find()) l.add(m.group(1) != null ? m.group(1) : m.group(2)); return l; }

    /** a number near one of the numbers that the constraint mentions, or near a numeric answer already in the form */
    Double guidedNumber(String con) {
        List<Double> n = new ArrayList<>(); Matcher m = Pattern.compile("(?<![\\w.])-?\\d+(?:\\.\\d+)?").matcher(con.replaceAll("'[^']*'|\"[^\"]*\"", " "));
        while (m.find()) n.add(Double.parseDouble(m.group()));
        if (con.contains("/") || n.isEmpty()) numbers(form.getMainInstance().getRoot(), n);
        if (n.isEmpty()) return null;
        double x = n.get(rnd.nextInt(n.size())), y = n.get(rnd.nextInt(n.size()));
        switch (rnd.nextInt(6)) { case 0: return x; case 1: return x + 1; case 2: return x - 1; case 3: return Math.min(x, y) + rnd.nextDouble() * Math.abs(x - y); case 4: return x + rnd.nextInt(20); default: return x - rnd.nextInt(20); }
    }

    static void numbers(TreeElement e, List<Double> out) {
        if (e.getValue() instanceof IntegerData || e.getValue() instanceof DecimalData) out.add(Double.parseDouble(e.getValue().getDisplayText()));
        for (int i = 0; i < e.getNumChildren(); i++) if (e.getChildAt(i).getMult() != TreeReference.INDEX_TEMPLATE) numbers(e.getChildAt(i), out);
    }

    static void dates(TreeElement e, List<Date> out) {
        if (e.getValue() instanceof DateData || e.getValue() instanceof DateTimeData) out.add((Date) e.getValue().getValue());
        for (int i = 0; i < e.getNumChildren(); i++) if (e.getChildAt(i).getMult() != TreeReference.INDEX_TEMPLATE) dates(e.getChildAt(i), out);
    }

    Date day(String con) {
        long now = clock, d = 86400000L; List<Date> near = new ArrayList<>(); near.add(new Date(now));
        if (con != null) { Matcher m = Pattern.compile("(\\d{4})-(\\d{2})-(\\d{2})").matcher(con); while (m.find()) near.add(new GregorianCalendar(Integer.parseInt(m.group(1)), Integer.parseInt(m.group(2)) - 1, Integer.parseInt(m.group(3))).getTime()); dates(form.getMainInstance().getRoot(), near); }
        long b = near.get(rnd.nextInt(near.size())).getTime();
        switch (rnd.nextInt(5)) { case 0: return new Date(b); case 1: return new Date(b - rnd.nextInt(40) * d); case 2: return new Date(b + rnd.nextInt(40) * d); case 3: return new Date(b - (long) rnd.nextInt(36500) * d); default: return new Date(b - rnd.nextInt(1000) * d - rnd.nextInt(86400) * 1000L); }
    }

    static Date midnight(Date x) { Calendar c = Calendar.getInstance(); c.setTime(x); c.set(Calendar.HOUR_OF_DAY, 0); c.set(Calendar.MINUTE, 0); c.set(Calendar.SECOND, 0); c.set(Calendar.MILLISECOND, 0); return c.getTime(); }

    // ------------------------------------------------------------------ media
    String mediaName(String ext) { return (mediaClock += 1 + rnd.nextInt(5000)) + "." + ext; }

    IAnswerData realizeMedia(FormEntryPrompt p, IAnswerData d) {
        int c = p.getControlType();
        if (c != Constants.CONTROL_IMAGE_CHOOSE && c != Constants.CONTROL_AUDIO_CAPTURE && c != Constants.CONTROL_VIDEO_CAPTURE && c != Constants.CONTROL_FILE_CAPTURE && c != Constants.CONTROL_OSM_CAPTURE) return d;
        String n = (String) d.getValue(); writeMedia(n);
        if (p.getAnswerValue() != null) { File old = new File(instDir, p.getAnswerValue().getDisplayText()); if (old.isFile() && !old.getName().equals(n)) old.delete(); } // Collect removes the replaced file
        return d;
    }

    void writeMedia(String name) {
        try {
            ByteArrayOutputStream b = new ByteArrayOutputStream(); String ext = name.substring(name.lastIndexOf('.') + 1);
            switch (ext) {
                case "jpg": { BufferedImage im = new BufferedImage(o.px, o.px, BufferedImage.TYPE_INT_RGB); Graphics2D g = im.createGraphics(); for (int i = 0; i < 12; i++) { g.setColor(new Color(rnd.nextInt(0xffffff))); g.fillRect(rnd.nextInt(o.px), rnd.nextInt(o.px), 1 + rnd.nextInt(o.px), 1 + rnd.nextInt(o.px)); } ImageIO.write(im, "jpg", b); break; }
                case "m4a": case "mp4": b.write(new byte[]{0, 0, 0, 24}); b.write("ftypmp42".getBytes()); b.write(new byte[]{0, 0, 0, 0}); b.write("isommp42".getBytes()); break;
                case "amr": b.write("#!AMR\n".getBytes()); break;
                case "pdf": b.write("%PDF-1.4\n%âãÏÓ\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n".getBytes()); break;
                case "zip": case "docx": case "xlsx": b.write(new byte[]{0x50, 0x4b, 5, 6}); b.write(new byte[18]); break;
                case "xml": case "osm": b.write("<?xml version=\"1.0\"?><x/>".getBytes()); break;
                default: b.write("a,b\n1,2\n".getBytes());
            }
            if (!ext.equals("jpg") && !ext.equals("xml") && !ext.equals("osm")) { byte[] r = new byte[200 + rnd.nextInt(800)]; rnd.nextBytes(r); b.write(r); }
            if (o.extraBytes > 0) { byte[] r = new byte[o.extraBytes]; rnd.nextBytes(r); b.write(r); }
            Files.write(new File(instDir, name).toPath(), b.toByteArray());
        } catch (IOException e) { throw new RuntimeException(e); }
    }

    void finishBackgroundAudio() {
        recordAudio.keySet().removeIf(r -> { TreeElement t = form.getMainInstance().resolveReference(r); return t == null || (o.edit != null && t.getValue() != null); });
        if (recordAudio.isEmpty()) return;
        String q = recordAudio.values().iterator().next(); String n = mediaName(q.equals("voice-only") ? "amr" : "m4a"); writeMedia(n);
        for (TreeReference r : recordAudio.keySet()) form.getMainInstance().resolveReference(r).setAnswer(new StringData(n)); // one recording shared by every reference
    }

    // ------------------------------------------------------------------ audit.csv
    void log(String event, FormIndex ix) { long t = clock + audit.size() * 137L; audit.add(new String[]{event, ix == null ? "" : path(ix.getReference()), "" + t, event.matches("question|group questions|add repeat|end screen|jump") ? "" + (t + 90) : ""}); }

    void finishAudit() throws IOException {
        TreeElement meta = form.getMainInstance().getRoot().getFirstChild("meta"); TreeElement au = meta == null ? null : meta.getFirstChild("audit");
        if (au == null) return;
        boolean loc = au.getBindAttributeValue(ODK_NS, "location-priority") != null, ch = "true".equals(au.getBindAttributeValue(ODK_NS, "track-changes")), us = "true".equals(au.getBindAttributeValue(ODK_NS, "identify-user")), re = "on-form-edit".equals(au.getBindAttributeValue(ODK_NS, "track-changes-reasons"));
        File f = new File(instDir, "audit.csv"); boolean fresh = !f.exists();
        try (Writer w = new OutputStreamWriter(new FileOutputStream(f, true), StandardCharsets.UTF_8)) {
            if (fresh) w.write("event,node,start,end" + (loc ? ",latitude,longitude,accuracy" : "") + (ch ? ",old-value,new-value" : "") + (us ? ",user" : "") + (re ? ",change-reason" : "") + "\n");
            for (String[] l : audit) { double[] p = point(rnd); w.write(String.join(",", l) + (loc ? "," + p[0] + "," + p[1] + "," + p[3] : "") + (ch ? ",," + (l[0].equals("question") ? "\"nuevo, valor\"" : "") : "") + (us ? ",enumerador" : "") + (re ? "," : "") + "\n"); }
        }
        au.setValue(new StringData("audit.csv"));
    }

    // ------------------------------------------------------------------ entities declared by the finalized form
    List<FormEntity> entities() {
        List<FormEntity> out = new ArrayList<>();
        for (TreeElement e : entityElements(form.getMainInstance().getRoot(), false)) {
            if (!e.isRelevant()) { /* Collect does not test relevance here: it reads create/update only */ }
            boolean c = truthy(e.getAttributeValue(null, "create")), u = truthy(e.getAttributeValue(null, "update"));
            if (!c && !u) continue;
            FormEntity fe = new FormEntity(); fe.action = c && u ? "upsert" : c ? "create" : "update";
            fe.dataset = e.getAttributeValue(null, "dataset"); fe.id = e.getAttributeValue("", "id");
            for (int i = 0; i < e.getAttributeCount(); i++) fe.attributes.put(e.getAttributeName(i), e.getAttributeValue(i));
            TreeElement l = e.getFirstChild("label"); fe.label = l == null || l.getValue() == null ? "" : l.getValue().uncast().getString();
            TreeReference group = e.getRef().getParentRef().getParentRef();
            String g = group.genericize().toString(false);
            if (entityProc != null) for (Map.Entry<String, String> s : entityProc.saveTos.entrySet()) {
                if (!nearestEntityGroup(s.getKey()).equals(g)) continue;
                TreeReference fr = (TreeReference) new XPathReference(s.getKey()).getReference();
                TreeElement fe2 = form.getMainInstance().resolveReference(fr.contextualize(group));
                if (fe2 != null && fe2.isRelevant()) fe.properties.put(s.getValue(), fe2.getValue() == null ? "" : fe2.getValue().uncast().getString());
            }
            out.add(fe);
        }
        return out;
    }

    String nearestEntityGroup(String path) {
        for (String p = path.substring(0, path.lastIndexOf('/')); !p.isEmpty(); p = p.substring(0, p.lastIndexOf('/'))) {
            TreeElement e = find(form.getMainInstance().getRoot(), p.substring(1).split("/"), 0);
            if (e != null) for (int i = 0; i < e.getNumChildren(); i++) if (e.getChildAt(i).getName().equals("meta") && e.getChildAt(i).getFirstChild("entity") != null) return p;
        }
        return "";
    }

    static TreeElement find(TreeElement e, String[] names, int i) {
        if (!e.getName().equals(names[i])) return null;
        if (i == names.length - 1) return e;
        for (int j = 0; j < e.getNumChildren(); j++) { TreeElement r = find(e.getChildAt(j), names, i + 1); if (r != null) return r; }
        return null;
    }

    static boolean truthy(String s) { return s != null && (s.equals("1") || s.equalsIgnoreCase("true")); }

    // ------------------------------------------------------------------ expected values, paths
    final XFormAnswerDataSerializer ser = new XFormAnswerDataSerializer();

    void flatten(TreeElement e, List<Map<String, Object>> out) {
        if (!e.isRelevant() || e.getMult() == TreeReference.INDEX_TEMPLATE) return;
        if (e.getNumChildren() == 0 || e.getValue() != null) {
            Map<String, Object> m = new LinkedHashMap<>(); m.put("path", path(e.getRef()));
            m.put("value", e.getValue() == null ? null : ser.serializeAnswerData(e.getValue(), e.getDataType()).toString()); m.put("type", e.getDataType()); out.add(m);
        } else for (int i = 0; i < e.getNumChildren(); i++) flatten(e.getChildAt(i), out);
    }

    /** /data/rep[2]/q : positions only where a repeat is */
    String path(TreeReference r) {
        StringBuilder b = new StringBuilder(); TreeReference cur = TreeReference.rootRef();
        for (int i = 0; i < r.size(); i++) {
            cur.add(r.getName(i), r.getMultiplicity(i)); b.append('/').append(r.getName(i));
            TreeElement t = null; try { t = form.getMainInstance().resolveReference(cur); } catch (RuntimeException ex) { /* no node */ }
            if (i > 0 && r.getMultiplicity(i) >= 0 && ((t != null && t.isRepeatable()) || r.getMultiplicity(i) > 0)) b.append('[').append(r.getMultiplicity(i) + 1).append(']');
        }
        return b.toString();
    }

    // ------------------------------------------------------------------ pulldata()
    class PullData implements IFunctionHandler {
        public String getName() { return "pulldata"; }
        public List<Class[]> getPrototypes() { return new ArrayList<>(); }
        public boolean rawArgs() { return true; }
        public boolean realTime() { return false; }
        public Object eval(Object[] args, EvaluationContext ec) {
            String set = XPathFuncExpr.toString(args[0]), col = XPathFuncExpr.toString(args[1]), kcol = XPathFuncExpr.toString(args[2]), k = XPathFuncExpr.toString(args[3]);
            try {
                if (store.lists.containsKey(set)) {
                    for (Ent e : store.lists.get(set).entities) { Map<String, String> m = new HashMap<>(e.properties); m.put("name", e.id); m.put("label", e.label); m.put("__version", "" + e.version); if (k.equals(m.get(kcol))) return m.getOrDefault(col, ""); }
                    return "";
                }
                File f = new File(mediaDir, set + ".csv"); if (!f.exists()) return "";
                try (CSVParser p = new SecondaryInstanceCSVParserBuilder().path(f.getPath()).build()) { for (CSVRecord r : p) if (k.equals(r.get(kcol))) return r.get(col); }
            } catch (IOException | IllegalArgumentException e) { return ""; }
            return "";
        }
    }

    // ------------------------------------------------------------------ encrypted forms
    void encrypt(String pub, String formId, String version, String instanceId) throws Exception {
        if (instanceId == null) throw new IllegalStateException("This form does not specify an instanceID, so it cannot be encrypted");
        PublicKey pk = KeyFactory.getInstance("RSA").generatePublic(new X509EncodedKeySpec(Base64.getDecoder().decode(pub.replaceAll("\\s", ""))));
        byte[] key = new byte[32]; new SecureRandom().nextBytes(key);
        MessageDigest md = MessageDigest.getInstance("MD5"); md.update(instanceId.getBytes(StandardCharsets.UTF_8)); md.update(key); byte[] iv = md.digest();
        String encKey = rsa(pk, key);
        StringBuilder sig = new StringBuilder(formId + "\n" + (version == null || version.isBlank() ? "" : version + "\n") + encKey + "\n" + instanceId + "\n");
        List<File> media = new ArrayList<>(); for (File f : instDir.listFiles()) if (!f.equals(instFile)) media.add(f);
        File sub = new File(instDir, "submission.xml"); Files.move(instFile.toPath(), sub.toPath());
        List<File> all = new ArrayList<>(media); all.add(sub); int ctr = 0;
        for (File f : all) {
            byte[] plain = Files.readAllBytes(f.toPath());
            sig.append(f.getName()).append("::").append(hex(MessageDigest.getInstance("MD5").digest(plain))).append("\n");
            ++iv[ctr++ % 16];
            Cipher c = Cipher.getInstance("AES/CFB/PKCS5Padding"); c.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "AES"), new IvParameterSpec(iv));
            Files.write(new File(instDir, f.getName() + ".enc").toPath(), c.doFinal(plain)); f.delete();
        }
        StringBuilder x = new StringBuilder("<data xmlns=\"http://www.opendatakit.org/xforms/encrypted\" id=\"" + esc(formId) + "\"" + (version == null || version.isBlank() ? "" : " version=\"" + esc(version) + "\"") + " encrypted=\"yes\"><base64EncryptedKey>" + encKey + "</base64EncryptedKey><orx:meta xmlns:orx=\"http://openrosa.org/xforms\"><orx:instanceID>" + esc(instanceId) + "</orx:instanceID></orx:meta>\n");
        for (File f : media) x.append("<media><file>").append(esc(f.getName())).append(".enc</file></media>\n");
        x.append("<encryptedXmlFile>submission.xml.enc</encryptedXmlFile><base64EncryptedElementSignature>").append(rsa(pk, MessageDigest.getInstance("MD5").digest(sig.toString().getBytes(StandardCharsets.UTF_8)))).append("</base64EncryptedElementSignature></data>");
        Files.write(instFile.toPath(), x.toString().getBytes(StandardCharsets.UTF_8));
    }

    static String rsa(PublicKey pk, byte[] b) throws Exception {
        Cipher c = Cipher.getInstance("RSA/ECB/OAEPPadding"); c.init(Cipher.ENCRYPT_MODE, pk, new OAEPParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, PSource.PSpecified.DEFAULT));
        return Base64.getEncoder().encodeToString(c.doFinal(b));
    }

    static String hex(byte[] b) { StringBuilder s = new StringBuilder(); for (byte x : b) s.append(String.format("%02x", x)); return s.toString(); }
    static String esc(String s) { return s.replace("&", "&amp;").replace("<", "&lt;").replace("\"", "&quot;"); }

    // ------------------------------------------------------------------ strings for simple regular expressions
    static class RegexGen {
        final String p; int i = 0; final Random r;
        RegexGen(String p, Random r) { this.p = p; this.r = r; }
        static String gen(String p, Random r) { try { return new RegexGen(p, r).alt(); } catch (RuntimeException e) { return null; } }
        String alt() { List<String> opts = new ArrayList<>(); opts.add(seq()); while (i < p.length() && p.charAt(i) == '|') { i++; opts.add(seq()); } return opts.get(r.nextInt(opts.size())); }
        String seq() {
            StringBuilder out = new StringBuilder();
            while (i < p.length() && p.charAt(i) != '|' && p.charAt(i) != ')') {
                char c = p.charAt(i); int start = i; if (c == '^' || c == '$') { i++; continue; }
                String one = atom(); int end = i; int lo = 1, hi = 1;
                if (i < p.length()) { char q = p.charAt(i); if (q == '*') { lo = 0; hi = 4; i++; } else if (q == '+') { lo = 1; hi = 5; i++; } else if (q == '?') { lo = 0; hi = 1; i++; }
                    else if (q == '{') { int e = p.indexOf('}', i); String[] b = p.substring(i + 1, e).split(",", -1); lo = Integer.parseInt(b[0]); hi = b.length == 1 ? lo : b[1].isEmpty() ? lo + 4 : Integer.parseInt(b[1]); i = e + 1; } }
                int k = lo + r.nextInt(hi - lo + 1); int after = i;
                for (int j = 0; j < k; j++) { if (j == 0) out.append(one); else { i = start; out.append(atom()); } }
                i = after;
            }
            return out.toString();
        }
        String atom() {
            char c = p.charAt(i++);
            if (c == '(') { if (p.startsWith("?:", i)) i += 2; else if (p.startsWith("?", i)) throw new RuntimeException("lookaround"); String s = alt(); i++; return s; }
            if (c == '[') { boolean neg = p.charAt(i) == '^'; if (neg) i++; StringBuilder set = new StringBuilder(); boolean first = true;
                while (p.charAt(i) != ']' || first) { first = false; char x = p.charAt(i++); if (x == '\\') { String e = cls(p.charAt(i++)); set.append(e); continue; } if (p.charAt(i) == '-' && p.charAt(i + 1) != ']') { char y = p.charAt(i + 1); i += 2; for (char z = x; z <= y; z++) set.append(z); } else set.append(x); }
                i++; if (neg) { StringBuilder s2 = new StringBuilder(); for (char z = 'a'; z <= 'z'; z++) if (set.indexOf("" + z) < 0) s2.append(z); set = s2; } return "" + set.charAt(r.nextInt(set.length())); }
            if (c == '.') return "" + (char) ('a' + r.nextInt(26));
            if (c == '\\') { String e = cls(p.charAt(i++)); return "" + e.charAt(r.nextInt(e.length())); }
            return "" + c;
        }
        static String cls(char c) { return c == 'd' ? "0123456789" : c == 'w' ? "abcXYZ019_" : c == 's' ? " " : c == 'D' || c == 'S' || c == 'W' ? "x" : "" + c; }
    }
}
