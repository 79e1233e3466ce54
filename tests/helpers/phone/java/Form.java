import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import org.javarosa.core.model.*;
import org.javarosa.core.model.actions.recordaudio.RecordAudioActions;
import org.javarosa.core.model.actions.setgeopoint.SetGeopointAction;
import org.javarosa.core.model.actions.setgeopoint.SetGeopointActionHandler;
import org.javarosa.core.model.instance.*;
import org.javarosa.core.reference.*;
import org.javarosa.core.services.PropertyManager;
import org.javarosa.core.services.PrototypeManager;
import org.javarosa.core.util.JavaRosaCoreModule;
import org.javarosa.model.xform.XFormsModule;
import org.javarosa.xform.parse.*;
import org.javarosa.xform.util.XFormUtils;

/** A form on the phone, and as many submissions of it as were asked for. */
class Form {
    final File formXml, mediaDir, outDir;
    final Options o;
    final EntityStore store;
    EntityBlocks entityBlocks;
    final Map<String, String> constraintText = new HashMap<>();
    final Map<TreeReference, String> recordings = new LinkedHashMap<>();
    String title;

    Form(File form, File media, File out, Options o) throws Exception {
        this.formXml = form.getAbsoluteFile();
        this.mediaDir = media.getAbsoluteFile();
        this.outDir = out.getAbsoluteFile();
        this.o = o;
        if (!formXml.exists()) throw new FileNotFoundException(formXml.getPath());
        mediaDir.mkdirs();
        outDir.mkdirs();
        store = new EntityStore(o.entitiesDir);
        PropertyManager.setPropertyManager(new Surroundings.Metadata(o.props));
        PrototypeManager.registerPrototypes(JavaRosaCoreModule.classNames);
        PrototypeManager.registerPrototypes(CoreModelModule.classNames);
        new XFormsModule().registerModule();
        XFormParser.registerActionHandler(SetGeopointActionHandler.ELEMENT_NAME, new SetGeopointActionHandler() {
            public SetGeopointAction getSetGeopointAction() {
                return new Surroundings.Position(null);
            }
        });
        RecordAudioActions.setRecordAudioListener(
                (ref, quality) -> recordings.put(ref, quality == null ? "" : quality));
        XFormUtils.setXFormParserFactory(new IXFormParserFactory.Wrapper(new XFormParserFactory()) {
            public XFormParser apply(XFormParser p) {
                p.addProcessor(new EntityBlocks(Form.this));
                return p;
            }
        });
        XFormUtils.setExternalInstanceParserFactory(() -> {
            ExternalInstanceParser p = new ExternalInstanceParser();
            p.addInstanceProvider(new EntityInstances(store, mediaDir));
            return p;
        });
        ReferenceManager rm = ReferenceManager.instance();
        rm.reset();
        rm.addReferenceFactory(new Surroundings.MediaFolder(mediaDir));
        for (String h : new String[] {"images", "image", "audio", "video", "file-csv"})
            rm.addSessionRootTranslator(new RootTranslator("jr://" + h + "/", "jr://file/"));
        readConstraints();
    }

    void readConstraints() throws Exception {
        javax.xml.parsers.DocumentBuilderFactory f = javax.xml.parsers.DocumentBuilderFactory.newInstance();
        f.setNamespaceAware(true);
        org.w3c.dom.Document d = f.newDocumentBuilder().parse(formXml);
        org.w3c.dom.NodeList binds = d.getElementsByTagNameNS("*", "bind");
        for (int i = 0; i < binds.getLength(); i++) {
            org.w3c.dom.Element e = (org.w3c.dom.Element) binds.item(i);
            if (e.hasAttribute("constraint"))
                constraintText.put(e.getAttribute("nodeset"), e.getAttribute("constraint"));
        }
        org.w3c.dom.NodeList t = d.getElementsByTagNameNS("*", "title");
        title = t.getLength() > 0 ? t.item(0).getTextContent() : "form";
    }

    FormDef parseForm() throws Exception {
        File lastSaved = new File(mediaDir, "last-saved.xml");
        if (!lastSaved.exists())
            Files.write(lastSaved.toPath(), "<?xml version='1.0' ?><stub />".getBytes(StandardCharsets.UTF_8));
        try (InputStream in = new FileInputStream(formXml)) {
            return XFormUtils.getFormFromInputStream(in, "jr://file/last-saved.xml");
        }
    }

    // ------------------------------------------------------------------ main loop
    int fill() throws Exception {
        int bad = 0;
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        for (int i = 0; i < o.n; i++) {
            Submission made = null;
            Map<String, Object> told = null;
            for (int t = 0; told == null; t++) { // a required answer that no value satisfies: again, with another seed
                Random rnd = new Random(mix((o.seed * 1000003L + i) * 31 + t * 7_777_777_777L));
                made = new Submission(this, rnd, o.clockStart + i * 1000L);
                try {
                    told = made.make(t < o.retries);
                } catch (Submission.DeadEnd e) {
                    made.discard();
                }
            }
            if (!made.unsatisfied.isEmpty()) bad++;
            out.println(Fill.JSON.writeValueAsString(told));
        }
        store.save();
        return bad > 0 ? Fill.UNSATISFIED : Fill.DONE;
    }

    static long mix(long z) {
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L + 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
