import java.io.*;
import java.util.*;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.javarosa.core.model.instance.*;

/** The entity lists on the phone, merged and changed as Collect's LocalEntityUseCases does. */
class EntityStore {
    static class Ent {
        public String id, label, state = "OFFLINE", branchId = "";
        public int version = 1;
        public Integer trunkVersion;
        public LinkedHashMap<String, String> properties = new LinkedHashMap<>();
        boolean dirty() { return trunkVersion == null || version != trunkVersion; }
    }

    static class EntList {
        public String hash;
        public boolean needsApproval;
        public List<Ent> entities = new ArrayList<>();
        Ent find(String id) {
            for (Ent e : entities)
                if (e.id.equals(id)) return e;
            return null;
        }
    }
    final File file;
    LinkedHashMap<String, EntList> lists = new LinkedHashMap<>();
    EntityStore(File dir) throws IOException {
        file = dir == null ? null : new File(dir, "entities.json");
        if (file != null && file.exists())
            lists = Fill.JSON.readValue(file,
                    Fill.JSON.getTypeFactory().constructMapType(LinkedHashMap.class, String.class, EntList.class));
    }
    void save() throws IOException {
        if (file != null) {
            file.getParentFile().mkdirs();
            Fill.JSON.writeValue(file, lists);
        }
    }
    String summary(String l) {
        EntList e = lists.get(l);
        return e == null ? "no list" : l + " hash=" + e.hash + " entities=" + e.entities.size();
    }
    List<String> offlineIds(String l) {
        List<String> r = new ArrayList<>();
        if (lists.get(l) != null)
            for (Ent e : lists.get(l).entities)
                if (e.state.equals("OFFLINE")) r.add(e.id);
        return r;
    }
    void delete(String l, String id) {
        if (lists.get(l) != null) lists.get(l).entities.removeIf(e -> e.id.equals(id));
    }

    /** mirrors LocalEntityUseCases.updateLocalEntitiesFromServer */
    void mergeFromServer(String list, File csv, String hash, boolean approval) throws IOException {
        EntList l = lists.get(list);
        if (l != null && hash.equals(l.hash)) return;
        CSVParser parser;
        try {
            parser = new SecondaryInstanceCSVParserBuilder().path(csv.getPath()).build();
        } catch (Exception e) {
            System.err.println("entity list not readable, ignored: " + e);
            return;
        }
        if (l == null) l = new EntList();
        Set<String> header = new HashSet<>();
        for (String h : parser.getHeaderMap().keySet()) header.add(h.toLowerCase());
        for (Ent e : l.entities)
            e.properties.keySet().removeIf(k -> !header.contains(k.toLowerCase())); // cleanUpProperties
        LinkedHashMap<String, Ent> missing = new LinkedHashMap<>();
        for (Ent e : l.entities) missing.put(e.id, e);
        List<Ent> save = new ArrayList<>();
        for (CSVRecord r : parser) {
            Map<String, String> m = r.toMap();
            String id = m.get("name"), label = m.get("label"), v = m.get("__version");
            if (id == null || label == null || v == null) {
                System.err.println("entity CSV lacks name/label/__version: Collect ignores the whole list");
                return;
            }
            int version = Integer.parseInt(v);
            LinkedHashMap<String, String> props = new LinkedHashMap<>();
            for (String h : parser.getHeaderMap().keySet())
                if (!h.equals("name") && !h.equals("label") && !h.startsWith("__")) props.put(h, m.get(h));
            Ent ex = missing.remove(id);
            if (ex == null) {
                Ent e = new Ent();
                e.id = id;
                e.label = label;
                e.version = version;
                e.trunkVersion = version;
                e.state = "ONLINE";
                e.branchId = UUID.randomUUID().toString();
                e.properties = props;
                save.add(e);
            } else if (ex.version < version || (ex.version == version && ex.dirty())) {
                ex.label = label;
                ex.version = version;
                ex.trunkVersion = version;
                ex.state = "ONLINE";
                ex.branchId = UUID.randomUUID().toString();
                ex.properties.putAll(props);
            } else if (ex.version > version && ex.state.equals("OFFLINE"))
                ex.state = "ONLINE";
        }
        for (Ent e : missing.values())
            if (e.state.equals("ONLINE")) l.entities.remove(e);
        l.entities.addAll(save);
        l.hash = hash;
        l.needsApproval = approval;
        lists.put(list, l);
    }

    /** mirrors LocalEntityUseCases.updateLocalEntitiesFromForm */
    void applyFormEntity(EntityBlocks.Filled fe) {
        boolean v4;
        try {
            v4 = fe.id != null && UUID.fromString(fe.id).version() == 4;
        } catch (IllegalArgumentException e) {
            v4 = false;
        }
        if (!v4) {
            System.err.println("entity ignored locally: id is not a v4 UUID: " + fe.id);
            return;
        }
        EntList l = lists.get(fe.dataset);
        Ent ex = l == null ? null : l.find(fe.id);
        if (fe.action.equals("create") || (fe.action.equals("upsert") && ex == null)) {
            if (fe.label.isBlank() || l == null || l.needsApproval) return;
            Ent e = new Ent();
            e.id = fe.id;
            e.label = fe.label;
            e.branchId = UUID.randomUUID().toString();
            e.properties.putAll(fe.properties);
            l.entities.add(e);
        } else if (ex != null) {
            if (!fe.label.isBlank()) ex.label = fe.label;
            ex.properties.putAll(fe.properties);
            ex.version += 1;
        }
    }
}
