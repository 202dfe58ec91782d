"""Scene.PASTE"""
