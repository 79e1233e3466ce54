import java.io.*;
import java.nio.file.*;
import java.text.SimpleDateFormat;
import java.util.*;
import org.javarosa.core.model.*;
import org.javarosa.core.model.Constants;
import org.javarosa.core.model.data.*;
import org.javarosa.core.model.instance.*;
import org.javarosa.core.util.PropertyUtils;
import org.javarosa.form.api.*;
import org.javarosa.model.xform.XFormSerializingVisitor;
import org.javarosa.model.xform.XPathReference;
import org.javarosa.xform.parse.*;
import org.javarosa.xform.util.XFormAnswerDataSerializer;

/** One submission: a form filled or an earlier one edited, finalized and written as Collect writes it. */
class Submission {
    final Form f;
    final Options o;
    final Random rnd;
    final List<String> unsatisfied = new ArrayList<>();
    final MediaFiles media;
    final Answers answers;
    final AuditLog audit;
    FormDef form;
    FormEntryModel model;
    FormEntryController fec;
    File folder, file;
    long clock;

    Submission(Form f, Random rnd, long clock) {
        this.f = f;
        this.o = f.o;
        this.rnd = rnd;
        this.clock = clock;
        Surroundings.Position.rnd = rnd;
        f.recordings.clear();
        media = new MediaFiles(this);
        answers = new Answers(this);
        audit = new AuditLog(this);
    }

    void discard() {
        for (File made : folder.listFiles()) made.delete();
        folder.delete();
    }

    static String cleanName(String n) {
        return n.replaceAll("[^\\p{L}\\p{Digit}]", " ").replaceAll("\\p{javaWhitespace}+", " ").trim();
    }

    static class DeadEnd extends Exception {}

    Map<String, Object> make(boolean mayRetry) throws Exception {
        String base = cleanName(f.title) + "_"
                + new SimpleDateFormat("yyyy-MM-dd_HH-mm-ss", Locale.ENGLISH).format(new Date(clock));
        folder = new File(f.outDir, base);
        int k = 1;
        while (folder.exists()) {
            clock += 1000;
            base = cleanName(f.title) + "_"
                    + new SimpleDateFormat("yyyy-MM-dd_HH-mm-ss", Locale.ENGLISH).format(new Date(clock));
            folder = new File(f.outDir, base);
            if (k++ > 100000) throw new IOException("no free dir");
        }
        folder.mkdirs();
        file = new File(folder, base + ".xml");

        form = f.parseForm();
        model = new FormEntryModel(form);
        fec = new FormEntryController(model);
        fec.addFunctionHandler(new PullData(f.store, f.mediaDir));
        String edited = null;
        if (o.edit != null) {
            for (File held : o.edit.getAbsoluteFile().getParentFile().listFiles())
                if (!held.getName().equals(o.edit.getName()))
                    Files.copy(held.toPath(), new File(folder, held.getName()).toPath());
            edited = importInstance(o.edit);
            form.initialize(false, new InstanceInitializationFactory());
        } else
            form.initialize(true, new InstanceInitializationFactory());

        String[] langs = model.getLanguages();
        if (langs != null && langs.length > 0)
            fec.setLanguage(o.lang != null ? o.lang : langs[rnd.nextInt(langs.length)]);

        audit.log("form start", null);
        if (o.edit == null)
            walk();
        else
            change();
        for (int round = 0; round < 50; round++) {
            ValidateOutcome v = form.validate();
            if (v == null) break;
            fec.jumpToIndex(v.failedPrompt);
            if (!answer(v.failedPrompt, true) || round == 49) {
                unsatisfied.add("validate: " + path(v.failedPrompt.getReference()) + " outcome " + v.outcome);
                break;
            }
        }
        if (mayRetry && !unsatisfied.isEmpty()) throw new DeadEnd();
        audit.log("end screen", null);
        audit.log("form save", null);
        audit.log("form exit", null);
        audit.log("form finalize", null);

        media.finishRecordings();
        fec.finalizeFormEntry(); // xforms-revalidate, end timestamps, ...
        List<EntityBlocks.Filled> ents = f.entityBlocks == null ? new ArrayList<>() : f.entityBlocks.read(form);
        if (o.edit == null && f.entityBlocks != null && f.entityBlocks.local())
            for (EntityBlocks.Filled fe : ents) f.store.applyFormEntity(fe);
        if (o.edit != null) addDeprecatedId();
        audit.write();

        byte[] full = bytes(new XFormSerializingVisitor(false).createSerializedPayload(form.getInstance()));
        Files.write(new File(f.mediaDir, "last-saved.xml").toPath(), full);
        SubmissionProfile sp = form.getSubmissionProfile();
        IDataReference ref = sp == null || sp.getRef() == null ? new XPathReference("/") : sp.getRef();
        byte[] sub = bytes(new XFormSerializingVisitor().createSerializedPayload(form.getInstance(), ref));
        Files.write(file.toPath(), sub);

        TreeElement root = form.getMainInstance().getRoot();
        TreeElement meta = root.getFirstChild("meta");
        Map<String, Object> res = new LinkedHashMap<>();
        res.put("dir", folder.getPath());
        res.put("xml", file.getPath());
        res.put("formId", root.getAttributeValue(null, "id"));
        res.put("version", root.getAttributeValue(null, "version"));
        res.put("instanceId", text(meta, "instanceID"));
        res.put("deprecatedId", text(meta, "deprecatedID"));
        res.put("instanceName", text(meta, "instanceName"));
        String key = sp == null ? null : sp.getAttribute("base64RsaPublicKey");
        res.put("submissionAction", sp == null ? null : sp.getAction());
        res.put("encrypted", key != null && !o.noEncrypt);
        List<Map<String, Object>> vals = new ArrayList<>();
        flatten(root, vals);
        res.put("values", vals);
        res.put("entities", ents);
        res.put("unsatisfied", unsatisfied);
        if (key != null && !o.noEncrypt)
            Encryption.encrypt(folder, file, key, (String) res.get("formId"), (String) res.get("version"),
                    (String) res.get("instanceId"));
        List<String> files = new ArrayList<>();
        for (File held : folder.listFiles())
            if (!held.equals(file)) files.add(held.getName());
        Collections.sort(files);
        res.put("files", files);
        res.put("finalizedAt", clock);
        return res;
    }

    static byte[] bytes(org.javarosa.core.services.transport.payload.IDataPayload p) throws IOException {
        return p.getPayloadStream().readAllBytes();
    }

    static String text(TreeElement p, String n) {
        if (p == null || p.getFirstChild(n) == null || p.getFirstChild(n).getValue() == null) return null;
        return p.getFirstChild(n).getValue().uncast().getString();
    }

    /** like FormLoaderTask.importData */
    String importInstance(File f) throws IOException {
        TreeElement saved = XFormParser.restoreDataModel(Files.readAllBytes(f.toPath()), null).getRoot();
        TreeElement tmpl = form.getInstance().getRoot().deepCopy(true);
        if (!saved.getName().equals(tmpl.getName()) || saved.getMult() != 0)
            throw new IOException("instance does not match form");
        tmpl.populate(saved, form);
        form.getInstance().setName(null);
        form.getInstance().setRoot(tmpl);
        if (model.getLanguages() != null) form.localeChanged(model.getLanguage(), form.getLocalizer());
        return text(tmpl.getFirstChild("meta"), "instanceID");
    }

    /** like EditedFormFinalizationProcessor */
    void addDeprecatedId() {
        TreeElement meta = form.getMainInstance().getRoot().getFirstChild("meta"),
                    id = meta.getFirstChild("instanceID");
        TreeElement dep = new TreeElement("deprecatedID");
        meta.addChild(dep);
        dep.setAnswer(id.getValue());
        id.setAnswer(new StringData("uuid:" + PropertyUtils.genUUID()));
    }

    // ------------------------------------------------------------------ walking and answering
    void walk() {
        Map<String, Integer> targets = new HashMap<>();
        fec.jumpToIndex(FormIndex.createBeginningOfFormIndex());
        int ev;
        int guard = 0;
        Set<String> dropped = new HashSet<>();
        while ((ev = fec.stepToNextEvent()) != FormEntryController.EVENT_END_OF_FORM) {
            if (++guard > 200000) throw new IllegalStateException("form never ends");
            FormIndex ix = model.getFormIndex();
            switch (ev) {
                case FormEntryController.EVENT_QUESTION: answer(ix, false); break;
                case FormEntryController.EVENT_GROUP: audit.log("group questions", ix); break;
                case FormEntryController.EVENT_REPEAT: {
                    GroupDef g = (GroupDef) form.getChild(ix);
                    if (g.getCountReference() == null && !g.noAddRemove && ix.getElementMultiplicity() == 0) {
                        String kk = parentKey(ix.getReference());
                        int t = targets.computeIfAbsent(kk, x -> target(ix));
                        if (t == 0 && dropped.add(kk)) { // the user deletes the pre-created first instance
                            audit.log("delete repeat", ix);
                            fec.deleteRepeat(ix);
                            fec.jumpToIndex(ix);
                            if (model.getEvent() == FormEntryController.EVENT_QUESTION)
                                answer(model.getFormIndex(), false);
                        }
                    }
                    break;
                }
                case FormEntryController.EVENT_PROMPT_NEW_REPEAT: {
                    audit.log("add repeat", ix);
                    int have = ix.getElementMultiplicity();
                    int t = targets.computeIfAbsent(parentKey(ix.getReference()), x -> target(ix));
                    if (have < t) {
                        fec.newRepeat(ix);
                        fec.jumpToIndex(ix);
                    }
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
        List<FormIndex> qs = new ArrayList<>();
        List<FormIndex> scripted = new ArrayList<>();
        fec.jumpToIndex(FormIndex.createBeginningOfFormIndex());
        int ev;
        while ((ev = fec.stepToNextEvent()) != FormEntryController.EVENT_END_OF_FORM)
            if (ev == FormEntryController.EVENT_QUESTION) {
                FormEntryPrompt p = model.getQuestionPrompt();
                if (p.isReadOnly()) continue;
                if (hasScript(model.getFormIndex().getReference()))
                    scripted.add(model.getFormIndex());
                else
                    qs.add(model.getFormIndex());
            }
        for (FormIndex ix : scripted) answer(ix, false);
        if (!scripted.isEmpty()) return;
        Collections.shuffle(qs, rnd);
        for (int j = 0; j < Math.min(o.changes, qs.size()); j++)
            if (model.isIndexRelevant(qs.get(j))) answer(qs.get(j), true);
    }

    boolean hasScript(TreeReference r) {
        for (String k : keys(r))
            if (o.answers.containsKey(k)) return true;
        return false;
    }
    String script(TreeReference r, String suffix) {
        for (String k : keys(r))
            if (o.answers.containsKey(k + suffix))
                return o.answers.get(k + suffix) == null ? null : String.valueOf((Object) o.answers.get(k + suffix));
        return null;
    }
    List<String> keys(TreeReference r) { return Arrays.asList(path(r), r.toString(false), r.getNameLast()); }

    boolean answer(FormIndex ix, boolean force) {
        FormEntryPrompt p = model.getQuestionPrompt(ix);
        audit.log("question", ix);
        if (p.isReadOnly() && p.getControlType() != Constants.CONTROL_TRIGGER) return false;
        TreeReference ref = ix.getReference();
        if (hasScript(ref)) {
            String v = script(ref, "");
            IAnswerData d = v == null ? null : answers.scripted(p, v);
            int rc = fec.answerQuestion(ix, d, true);
            if (rc != FormEntryController.ANSWER_OK) {
                unsatisfied.add("scripted answer refused (" + rc + "): " + path(ref) + " = " + v);
                return false;
            }
            return true;
        }
        if (!force && p.getAnswerValue() != null && rnd.nextInt(2) == 0) return true; // keep the default
        if (!force && !p.isRequired() && rnd.nextDouble() < o.blank) {
            fec.answerQuestion(ix, null, true);
            return true;
        }
        for (int attempt = 0; attempt < 400; attempt++) {
            IAnswerData d = answers.random(p, attempt);
            if (d == null) break;
            int rc;
            if (!form.evaluateConstraint(ref, d)) continue;
            d = media.keep(p, d);
            rc = fec.answerQuestion(ix, d, true);
            if (rc == FormEntryController.ANSWER_OK) return true;
        }
        int rc = fec.answerQuestion(ix, null, true);
        if (rc != FormEntryController.ANSWER_OK) {
            unsatisfied.add("no valid answer found: " + path(ref));
            return false;
        }
        return !force;
    }
    // ------------------------------------------------------------------ expected values, paths
    final XFormAnswerDataSerializer ser = new XFormAnswerDataSerializer();

    void flatten(TreeElement e, List<Map<String, Object>> out) {
        if (!e.isRelevant() || e.getMult() == TreeReference.INDEX_TEMPLATE) return;
        if (e.getNumChildren() == 0 || e.getValue() != null) {
            Map<String, Object> m = new LinkedHashMap<>();
            m.put("path", path(e.getRef()));
            m.put("value",
                    e.getValue() == null ? null : ser.serializeAnswerData(e.getValue(), e.getDataType()).toString());
            m.put("type", e.getDataType());
            out.add(m);
        } else
            for (int i = 0; i < e.getNumChildren(); i++) flatten(e.getChildAt(i), out);
    }

    /** /data/rep[2]/q : positions only where a repeat is */
    String path(TreeReference r) {
        StringBuilder b = new StringBuilder();
        TreeReference cur = TreeReference.rootRef();
        for (int i = 0; i < r.size(); i++) {
            cur.add(r.getName(i), r.getMultiplicity(i));
            b.append('/').append(r.getName(i));
            TreeElement t = null;
            try {
                t = form.getMainInstance().resolveReference(cur);
            } catch (RuntimeException ex) { /* no node */
            }
            if (i > 0 && r.getMultiplicity(i) >= 0 && ((t != null && t.isRepeatable()) || r.getMultiplicity(i) > 0))
                b.append('[').append(r.getMultiplicity(i) + 1).append(']');
        }
        return b.toString();
    }
}
