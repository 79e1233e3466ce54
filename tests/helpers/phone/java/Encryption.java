import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.security.*;
import java.security.spec.*;
import java.util.*;
import javax.crypto.Cipher;
import javax.crypto.spec.*;

/** The envelope and the encrypted files that Collect sends for a form with a public key (EncryptionUtils). */
class Encryption {
    static void encrypt(File instDir, File instFile, String pub, String formId, String version, String instanceId)
            throws Exception {
        if (instanceId == null)
            throw new IllegalStateException("This form does not specify an instanceID, so it cannot be encrypted");
        PublicKey pk = KeyFactory.getInstance("RSA").generatePublic(
                new X509EncodedKeySpec(Base64.getDecoder().decode(pub.replaceAll("\\s", ""))));
        byte[] key = new byte[32];
        new SecureRandom().nextBytes(key);
        MessageDigest md = MessageDigest.getInstance("MD5");
        md.update(instanceId.getBytes(StandardCharsets.UTF_8));
        md.update(key);
        byte[] iv = md.digest();
        String encKey = rsa(pk, key);
        StringBuilder sig = new StringBuilder(formId + "\n"
                + (version == null || version.isBlank() ? "" : version + "\n") + encKey + "\n" + instanceId + "\n");
        List<File> media = new ArrayList<>();
        for (File f : instDir.listFiles())
            if (!f.equals(instFile)) media.add(f);
        File sub = new File(instDir, "submission.xml");
        Files.move(instFile.toPath(), sub.toPath());
        List<File> all = new ArrayList<>(media);
        all.add(sub);
        int ctr = 0;
        for (File f : all) {
            byte[] plain = Files.readAllBytes(f.toPath());
            sig.append(f.getName())
                    .append("::")
                    .append(hex(MessageDigest.getInstance("MD5").digest(plain)))
                    .append("\n");
            ++iv[ctr++ % 16];
            Cipher c = Cipher.getInstance("AES/CFB/PKCS5Padding");
            c.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "AES"), new IvParameterSpec(iv));
            Files.write(new File(instDir, f.getName() + ".enc").toPath(), c.doFinal(plain));
            f.delete();
        }
        StringBuilder x = new StringBuilder("<data xmlns=\"http://www.opendatakit.org/xforms/encrypted\" id=\""
                + esc(formId) + "\"" + (version == null || version.isBlank() ? "" : " version=\"" + esc(version) + "\"")
                + " encrypted=\"yes\"><base64EncryptedKey>" + encKey
                + "</base64EncryptedKey><orx:meta xmlns:orx=\"http://openrosa.org/xforms\"><orx:instanceID>"
                + esc(instanceId) + "</orx:instanceID></orx:meta>\n");
        for (File f : media) x.append("<media><file>").append(esc(f.getName())).append(".enc</file></media>\n");
        x.append("<encryptedXmlFile>submission.xml.enc</encryptedXmlFile><base64EncryptedElementSignature>")
                .append(rsa(
                        pk, MessageDigest.getInstance("MD5").digest(sig.toString().getBytes(StandardCharsets.UTF_8))))
                .append("</base64EncryptedElementSignature></data>");
        Files.write(instFile.toPath(), x.toString().getBytes(StandardCharsets.UTF_8));
    }

    static String rsa(PublicKey pk, byte[] b) throws Exception {
        Cipher c = Cipher.getInstance("RSA/ECB/OAEPPadding");
        c.init(Cipher.ENCRYPT_MODE, pk,
                new OAEPParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, PSource.PSpecified.DEFAULT));
        return Base64.getEncoder().encodeToString(c.doFinal(b));
    }

    static String hex(byte[] b) {
        StringBuilder s = new StringBuilder();
        for (byte x : b) s.append(String.format("%02x", x));
        return s.toString();
    }
    static String esc(String s) { return s.replace("&", "&amp;").replace("<", "&lt;").replace("\"", "&quot;"); }
}
