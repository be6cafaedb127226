using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.Repositories;
using TrackMate.Store.Sql;

namespace TrackMate.Manage;

/// <summary>
/// The keys of cookies and forms in the table <c>protection_key</c>, where several servers share them: whoever logs in on one is logged in on all, and a form that one
/// has drawn is taken by another.
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
    /// Keeps one, unless there is one by now that this server has not seen: then both made theirs at the same moment, and this one's is not needed. It reads them all
    /// after this, and takes what is there.
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
