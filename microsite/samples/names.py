"""What invented people are called: usual names, compound ones, particles, accents, and letters that are rare here."""

FIRST_NAMES = (
    "Léa", "Emma", "Chloé", "Camille", "Manon", "Inès", "Jade", "Louise", "Zoé", "Anaïs", "Maëlys", "Noémie",
    "Éloïse", "Clémence", "Margaux", "Romane", "Héloïse", "Océane", "Agathe", "Salomé", "Apolline", "Maëlle", "Lou",
    "Capucine", "Lucas", "Hugo", "Théo", "Enzo", "Léo", "Mathis", "Raphaël", "Gabriel", "Maël", "Noé", "Gaël", "Loïc",
    "Rémi", "Élie", "Aurélien", "Côme", "Tristan", "Malo", "Timéo", "Sacha", "Valentin", "Basile", "Ulysse",
    "Anatole", "Jean-Pierre", "Anne-Sophie", "Marie-Lou", "Jean-Baptiste", "Paul-Émile", "Marie Ange", "Lou-Ann",
    "Pierre-Louis", "Yasmine", "Amira", "Lina", "Nour", "Fatou", "Aïcha", "Aminata", "Khadija", "Mehdi", "Rayan",
    "Ibrahim", "Mamadou", "Ousmane", "Youssef", "Bilal", "Naïm", "Thị Mai", "Minh", "Linh", "Wei", "Mei", "Yuki",
    "Priya", "Arjun", "Kavya", "Léonor", "João", "Inês", "Begoña", "Íñigo", "Núria", "Chiara", "Niccolò", "Łukasz",
    "Agnieszka", "Zofia", "Søren", "Åsa", "Øyvind", "Jürgen", "Zoë", "Dragoş", "Ștefan", "Žofia", "Ľubica", "Çağla",
    "Işil", "Þóra", "Ng’andu", "Œdile",
)  # fmt: skip
LAST_NAMES = (
    "Martin", "Bernard", "Dubois", "Thomas", "Robert", "Richard", "Petit", "Durand", "Leroy", "Moreau", "Simon",
    "Laurent", "Lefèvre", "Michel", "Garcia", "David", "Bertrand", "Roux", "Vincent", "Fournier", "Morel", "Girard",
    "André", "Mercier", "Dupont", "Lambert", "Bonnet", "François", "Martinez", "Legrand", "Garnier", "Faure",
    "Rousseau", "Blanc", "Guérin", "Müller", "Henry", "Roussel", "Nicolas", "Perrin", "Morin", "Mathieu", "Clément",
    "Gauthier", "Dumont", "Lopez", "Fontaine", "Chevalier", "Robin", "Masson", "Sanchez", "Gérard", "Nguyễn", "Boyer",
    "Denis", "Lemaire", "Duval", "Joly", "Gautier", "Roger", "Roche", "Roy", "Noël", "Meyer", "Lucas", "Meunier",
    "Marchand", "Dufour", "Blanchard", "Barbier", "Brun", "Dumas", "Brunet", "Schmitt", "Leroux", "Colas",
    "Fernandez", "Le Goff", "Le Bihan", "Le Roux", "de la Tour", "de Saint-Exupéry", "du Plessis", "d’Aubigné",
    "L’Hermite", "de L’Isle", "Van den Berghe", "von Bülow", "Ben Salah", "Bou Saïd", "El Amrani", "Aït Ahmed",
    "N’Diaye", "N’Guessan", "Diallo", "Traoré", "Coulibaly", "Koné", "Mbaye", "Keïta", "Touré", "Benali", "Haddad",
    "Boukhari", "Trần", "Phạm", "Lê", "Chen", "Wang", "Nakamura", "Sharma", "Patel", "Ferreira", "Gonçalves",
    "Conceição", "Muñoz", "Etxeberría", "Kowalski", "Wójcik", "Łuczak", "Popescu", "Horváth", "Novák", "Jørgensen",
    "Sigurðardóttir", "Yildiz", "Papadópoulos", "Martin-Dubois", "Petit-Moreau", "Roux--Garnier", "Lefèvre-Le Goff",
    "Fernandez y Lopez", "O’Brien", "MacDonald", "Œuvrard", "Cœurderoy", "Æbischer", "Ibañez de la Fuente",
)  # fmt: skip
# What programs fill in, honeypot included.
PROGRAM_NAMES = (("RobertTix", "RobertTix"), ("Best", "SEO Agency"), ("Ranking", "First Page"), ("asdf", "asdf"))
