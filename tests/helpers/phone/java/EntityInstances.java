import java.io.*;
import org.javarosa.core.model.data.*;
import org.javarosa.core.model.instance.*;
import org.javarosa.xform.parse.*;

/** The phone's entity lists as secondary instances of a form, with the columns that Collect gives them. */
class EntityInstances implements ExternalInstanceParser.InstanceProvider {
    final EntityStore store;
    final File mediaDir;
    EntityInstances(EntityStore s, File m) {
        store = s;
        mediaDir = m;
    }
    public TreeElement get(String id, String src) {
        TreeElement root = new TreeElement("root", 0);
        int i = 0;
        for (EntityStore.Ent e : store.lists.get(id).entities) {
            TreeElement item = new TreeElement("item", i++);
            add(item, "name", e.id);
            add(item, "label", e.label);
            add(item, "__version", "" + e.version);
            add(item, "__trunkVersion", e.trunkVersion == null ? null : "" + e.trunkVersion);
            add(item, "__branchId", e.branchId);
            e.properties.forEach((k, v) -> add(item, k, v));
            root.addChild(item);
        }
        return root;
    }
    static void add(TreeElement item, String n, String v) {
        TreeElement t = new TreeElement(n);
        if (v != null) t.setValue(new StringData(v));
        item.addChild(t);
    }
    public boolean isSupported(String id, String src) {
        return !new File(mediaDir, src.substring(src.lastIndexOf('/') + 1)).exists() && store.lists.containsKey(id);
    }
}
