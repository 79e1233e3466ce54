import java.util.*;
import kotlin.Pair;
import org.javarosa.core.model.*;
import org.javarosa.core.model.instance.*;
import org.javarosa.model.xform.XPathReference;
import org.javarosa.xform.parse.*;

/** The entity blocks of a form: found while it is parsed, read once it is filled. */
class EntityBlocks implements XFormParser.BindAttributeProcessor, XFormParser.FormDefProcessor,
                              XFormParser.ModelAttributeProcessor {
    final Map<String, String> saveTos = new LinkedHashMap<>();
    String version;
    final Form form;
    EntityBlocks(Form f) { form = f; }
    public Set<Pair<String, String>> getModelAttributes() {
        return Set.of(new Pair<>(Fill.ENTITIES_NS, "entities-version"));
    }
    public void processModelAttribute(String name, String value) throws XFormParser.ParseException {
        version = value;
        if (!value.matches("(2022|2023|2024|2025)\\.1.*"))
            throw new XFormParser.ParseException() {
                public String getMessage() {
                    return "unsupported entities-version " + value;
                }
            };
    }
    public Set<Pair<String, String>> getBindAttributes() { return Set.of(new Pair<>(Fill.ENTITIES_NS, "saveto")); }
    public void processBindAttribute(String name, String value, DataBinding b) {
        saveTos.put(((TreeReference) ((XPathReference) b.getReference()).getReference()).toString(false), value);
    }
    public void processFormDef(FormDef f) throws XFormParser.ParseException {
        boolean has = !elements(f.getMainInstance().getRoot(), true).isEmpty();
        if (has && version == null)
            throw new XFormParser.MissingModelAttributeException(Fill.ENTITIES_NS, "entities-version");
        form.entityBlocks = this;
    }
    boolean local() { return version != null && (version.startsWith("2024.1") || version.startsWith("2025.1")); }

    static class Filled {
        public String action, dataset, id, label;
        public LinkedHashMap<String, String> properties = new LinkedHashMap<>();
        public Map<String, String> attributes = new LinkedHashMap<>();
    }
    static List<TreeElement> elements(TreeElement e, boolean templates) {
        List<TreeElement> out = new ArrayList<>();
        for (int i = 0; i < e.getNumChildren(); i++) {
            TreeElement c = e.getChildAt(i);
            if (c.getName().equals("meta")) {
                TreeElement x = c.getFirstChild("entity");
                if (x != null) out.add(x);
            } else if (c.hasChildren() && (templates || c.getMult() != TreeReference.INDEX_TEMPLATE))
                out.addAll(elements(c, templates));
        }
        return out;
    }
    List<Filled> read(FormDef form) {
        List<Filled> out = new ArrayList<>();
        for (TreeElement e : elements(form.getMainInstance().getRoot(), false)) {
            // Collect does not test relevance here: it reads create and update alone
            boolean c = truthy(e.getAttributeValue(null, "create")), u = truthy(e.getAttributeValue(null, "update"));
            if (!c && !u) continue;
            Filled fe = new Filled();
            fe.action = c && u ? "upsert" : c ? "create" : "update";
            fe.dataset = e.getAttributeValue(null, "dataset");
            fe.id = e.getAttributeValue("", "id");
            for (int i = 0; i < e.getAttributeCount(); i++)
                fe.attributes.put(e.getAttributeName(i), e.getAttributeValue(i));
            TreeElement l = e.getFirstChild("label");
            fe.label = l == null || l.getValue() == null ? "" : l.getValue().uncast().getString();
            TreeReference group = e.getRef().getParentRef().getParentRef();
            String g = group.genericize().toString(false);
            for (Map.Entry<String, String> s : saveTos.entrySet()) {
                if (!nearestGroup(form, s.getKey()).equals(g)) continue;
                TreeReference fr = (TreeReference) new XPathReference(s.getKey()).getReference();
                TreeElement fe2 = form.getMainInstance().resolveReference(fr.contextualize(group));
                if (fe2 != null && fe2.isRelevant())
                    fe.properties.put(s.getValue(), fe2.getValue() == null ? "" : fe2.getValue().uncast().getString());
            }
            out.add(fe);
        }
        return out;
    }

    static String nearestGroup(FormDef form, String path) {
        for (String p = path.substring(0, path.lastIndexOf('/')); !p.isEmpty();
                p = p.substring(0, p.lastIndexOf('/'))) {
            TreeElement e = find(form.getMainInstance().getRoot(), p.substring(1).split("/"), 0);
            if (e != null)
                for (int i = 0; i < e.getNumChildren(); i++)
                    if (e.getChildAt(i).getName().equals("meta") && e.getChildAt(i).getFirstChild("entity") != null)
                        return p;
        }
        return "";
    }

    static TreeElement find(TreeElement e, String[] names, int i) {
        if (!e.getName().equals(names[i])) return null;
        if (i == names.length - 1) return e;
        for (int j = 0; j < e.getNumChildren(); j++) {
            TreeElement r = find(e.getChildAt(j), names, i + 1);
            if (r != null) return r;
        }
        return null;
    }

    static boolean truthy(String s) { return s != null && (s.equals("1") || s.equalsIgnoreCase("true")); }
}
