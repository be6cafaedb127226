using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.Repositories;
using TrackMate.Store.Sql;

namespace TrackMate.Manage;

/// <summary>
/// The keys of cookies and forms in the table <c>protection_key</c>, which several servers share. A login on one server is valid on all, and each accepts the forms
/// of the others.
/// </summary>
internal sealed class ProtectionKeys(Engine engine) : IXmlRepository
{
    private HashSet<string> known = [];

    public IReadOnlyCollection<XElement> GetAllElements()
    {
        using var database = engine.Open();
        var found = Read(database);
        known = [.. found.Keys];
        return [.. found.Values.Select(XElement.Parse)];
    }

    /// <summary>
    /// Stores a key, unless another server has stored one that this server has not read yet. Then both created a key at the same moment, and this one is not needed. The
    /// caller reads all keys afterwards and uses the stored one.
    /// </summary>
    public void StoreElement(XElement element, string friendlyName)
    {
        using var database = engine.Open();
        database.BeginWrite([(Engine.NoCompany, LockMode.Rewrite)]);
        if (known.IsSupersetOf(Read(database).Keys))
            database.Use("INSERT INTO protection_key (name, xml) VALUES (?, ?)").With(friendlyName).With(element.ToString(SaveOptions.DisableFormatting)).Run();
        database.Commit();
    }

    private static Dictionary<string, string> Read(Database database)
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        using var rows = database.Use("SELECT name, xml FROM protection_key ORDER BY name");
        while (rows.Next()) found.Add(rows.Text(0), rows.Text(1));
        return found;
    }
}
